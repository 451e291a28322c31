//! `promote demo`: the whole tour runs, and the folder is left to play in.

use super::support::sandbox::Sandbox;

#[test]
fn takes_a_shop_through_its_promotions_and_leaves_it() {
    let sandbox = Sandbox::new();
    let run = sandbox.promote(".", "demo tour").exits(0);
    for text in ["promote dev staging", "promote staging prod", "drop-column", "--keep", "git pull -X theirs"]
    {
        assert!(run.everything().contains(text), "nothing says `{text}` in\n{}", run.everything());
    }
    for path in
        ["shop/project.yml", "dev.git/HEAD", "staging.git/HEAD", "prod.git/HEAD", "shop/data/prod.duckdb"]
    {
        assert!(sandbox.path(&format!("tour/{path}")).exists(), "{path}");
    }
    sandbox.promote("tour/shop", "history prod").exits(0).says("staging");
    sandbox.promote("tour/shop", "plan dev staging").exits(0).says("Nothing to do");
    sandbox.promote(".", "demo tour").exits(2).says("tour");
}
