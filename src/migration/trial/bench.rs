//! What a plan costs; run by hand: `cargo test --release --lib plan_costs -- --ignored --nocapture`.

use super::*;

#[tokio::test]
#[ignore = "a measurement"]
async fn plan_costs() {
    let trial = Trial::new();
    let models = |extra: &str| {
        let mut objects = vec![table("base", vec![column("a", "int"), column("b", "varchar")])];
        for index in 0..10 {
            objects.push(view(
                &format!("v{index}"),
                &format!("select a, b, {index} as c{extra} from analytics.base"),
            ));
        }
        declared(objects)
    };
    trial.converge(&models("")).await;
    let cpu = || {
        let text = std::fs::read_to_string("/proc/self/stat").unwrap();
        let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
        (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()) * 10
    };
    let bare = || async {
        let mut connection = connect(&trial.warehouse(), &Reach::reading(vec![a()])).await.unwrap();
        connection.ledger(&a()).await.unwrap()
    };
    let before = cpu();
    for _ in 0..10 {
        bare().await;
    }
    println!("opening takes {} ms of CPU", (cpu() - before) / 10);
    for extra in ["", ", 1 as d"] {
        let before = cpu();
        for _ in 0..10 {
            trial.plan(&models(extra), &Options::default()).await.unwrap();
        }
        println!("a plan takes {} ms of CPU", (cpu() - before) / 10);
    }
}
