//! `promote demo`: a shop with three environments, taken through promotions by the real commands.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::args::DemoArgs;
use super::super::exit::ExitCode;
use super::super::failure::Failure;
use super::init;
use super::session::Session;

/// Runs the tour and leaves its folder.
pub(super) fn run(session: &Session<'_>, args: &DemoArgs) -> Result<ExitCode, Failure> {
    let root = folder(session, args)?;
    let tour = Tour { session, root };
    tour.prepare()?;
    tour.first_promotions()?;
    tour.compatible_change()?;
    tour.incompatible_change()?;
    tour.hotfix()?;
    tour.end()?;
    Ok(ExitCode::Done)
}

fn folder(session: &Session<'_>, args: &DemoArgs) -> Result<PathBuf, Failure> {
    let Some(folder) = &args.folder else {
        // Beside what is temporary: it stays.
        let made = tempfile::Builder::new().prefix("promote-demo-").tempdir_in(std::env::temp_dir());
        return made
            .map(tempfile::TempDir::keep)
            .map_err(|error| Failure::file("make", &std::env::temp_dir(), &error));
    };
    let folder = session.world.folder.join(folder);
    let taken = std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        return Err(Failure::usage(
            format!("`{}` is there already and is not empty", folder.display()),
            "name another folder, or none for a temporary one",
        ));
    }
    std::fs::create_dir_all(&folder).map_err(|error| Failure::file("make", &folder, &error))?;
    Ok(folder)
}

/// The tour and where it takes place.
struct Tour<'a> {
    session: &'a Session<'a>,
    root: PathBuf,
}

/// Somebody who commits.
#[derive(Clone, Copy)]
struct Person(&'static str);

const ADA: Person = Person("Ada");
const GRACE: Person = Person("Grace");

const BAND: &str =
    "case when margin_percent(list_price, unit_cost) >= 50 then 'high' else 'normal' end as margin_band,";

impl Tour<'_> {
    fn prepare(&self) -> Result<(), Failure> {
        self.chapter(
            "A shop, three environments",
            "dev, staging and prod: each a bare repository and a DuckDB file",
        )?;
        init::write_example(&self.root.join("shop"))?;
        self.git(ADA, "shop", &["init", "-q", "-b", "main"])?;
        self.git(ADA, "shop", &["add", "-A"])?;
        self.git(ADA, "shop", &["commit", "-q", "-m", "The shop"])?;
        for name in ["dev", "staging", "prod"] {
            self.git(ADA, ".", &["init", "-q", "--bare", "-b", "main", &format!("{name}.git")])?;
        }
        self.git(ADA, "shop", &["remote", "add", "origin", "../dev.git"])?;
        self.git(ADA, "shop", &["push", "-q", "-u", "origin", "main"])
    }

    fn first_promotions(&self) -> Result<(), Failure> {
        self.chapter(
            "The first promotion",
            "staging is empty: its tables, views and macros are made, then the models are built",
        )?;
        self.promote(&["dev", "staging", "--yes", "--run"], 0)?;
        self.say(
            "And from staging to prod. `order` in project.yml lets nobody go from dev to prod directly.",
        )?;
        self.promote(&["staging", "prod", "--yes", "--run", "--quiet"], 0)
    }

    fn compatible_change(&self) -> Result<(), Failure> {
        self.chapter(
            "A compatible change",
            "Ada adds a column to `products`: nobody who reads the table today will notice",
        )?;
        self.edit(
            "shop",
            "models/core/products.sql",
            "    is_active\n",
            &format!("    {BAND}\n    is_active\n"),
        )?;
        self.edit(
            "shop",
            "models/core/core.yml",
            "  - {name: is_active,",
            "  - {name: margin_band, data_type: VARCHAR, description: \"high or normal.\"}\n  - {name: is_active,",
        )?;
        self.commit(ADA, "shop", "Products have a margin band")?;
        self.say("Look first: `plan` changes nothing.")?;
        self.promote(&["plan", "dev", "staging"], 0)?;
        self.say("Then do it.")?;
        self.promote(&["dev", "staging", "--yes", "--run", "--quiet"], 0)
    }

    fn incompatible_change(&self) -> Result<(), Failure> {
        self.chapter(
            "An incompatible change",
            "Ada drops a column that somebody may read: it is refused, with a way out",
        )?;
        let (sql, properties) = (
            "    wants_newsletter,\n",
            "  - {name: wants_newsletter, data_type: BOOLEAN, description: Whether the customer asked for the newsletter.}\n",
        );
        self.edit("shop", "models/core/customers.sql", sql, "")?;
        self.edit("shop", "models/core/core.yml", properties, "")?;
        self.commit(ADA, "shop", "Customers without the newsletter")?;
        self.promote(&["dev", "staging", "--yes"], 1)?;
        self.say("Ada takes it back; staging has not changed.")?;
        self.git(ADA, "shop", &["revert", "--no-edit", "HEAD"])?;
        self.git(ADA, "shop", &["push", "-q", "origin", "main"])
    }

    fn hotfix(&self) -> Result<(), Failure> {
        self.chapter(
            "A hotfix in the way",
            "Grace mended a model directly in prod, Ada changed the same lines in dev",
        )?;
        self.git(GRACE, ".", &["clone", "-q", "prod.git", "hotfix"])?;
        let (line, hot, cold) = hotfix_lines();
        self.edit("hotfix", "models/marts/daily_revenue.sql", line, hot)?;
        self.commit(GRACE, "hotfix", "Test orders by phone were counted: stop the wrong dashboard")?;
        self.edit("shop", "models/marts/daily_revenue.sql", line, cold)?;
        self.commit(ADA, "shop", "Round daily revenue")?;
        self.promote(&["dev", "staging", "--yes", "--run", "--quiet"], 0)?;
        self.say("What the old recipe makes of it, in a throw-away clone of prod: it exits 0, and Grace's line is gone.")?;
        self.git(ADA, ".", &["clone", "-q", "prod.git", "recipe"])?;
        self.shown_git(
            "recipe",
            &["pull", "-X", "theirs", "--allow-unrelated-histories", "../staging.git", "main"],
        )?;
        self.shown_git("recipe", &["diff", "--stat", "HEAD^1", "--", "models/marts/daily_revenue.sql"])?;
        self.say("promote names the line, its commit and its author, and stops.")?;
        self.promote(&["staging", "prod", "--yes"], 1)?;
        self.say("Grace's line is kept: the target wins that hunk. The choice is in the record.")?;
        self.promote(&["staging", "prod", "--yes", "--run", "--keep", "models/marts/daily_revenue.sql"], 0)
    }

    fn end(&self) -> Result<(), Failure> {
        self.chapter("What is left", "the record of prod, and a folder to play in")?;
        self.promote(&["history", "prod"], 0)?;
        let shop = self.root.join("shop");
        self.print(&format!(
            "\nThe shop is in {}. Some things to try there:\n\n  cd {}\n  promote config show -e prod\n  promote plan dev staging\n  promote run -e dev\n\n",
            shop.display(),
            shop.display()
        ))
    }

    fn chapter(&self, title: &str, text: &str) -> Result<(), Failure> {
        let line = "─".repeat(title.chars().count());
        self.print(&format!("\n{}\n{line}\n{}.\n", self.strong(title), capital(text)))
    }

    fn say(&self, text: &str) -> Result<(), Failure> {
        self.print(&format!("\n{text}\n"))
    }

    fn strong(&self, text: &str) -> String {
        if self.session.console.color {
            let style = anstyle::Style::new().bold();
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    fn print(&self, text: &str) -> Result<(), Failure> {
        if self.session.console.quiet {
            return Ok(());
        }
        self.session.console.product(text).map_err(|error| Failure::output(None, &error))
    }

    /// Replaces a text in a file of the tour.
    fn edit(&self, folder: &str, path: &str, before: &str, after: &str) -> Result<(), Failure> {
        let path = self.root.join(folder).join(path);
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))?;
        std::fs::write(&path, text.replacen(before, after, 1))
            .map_err(|error| Failure::file("write", &path, &error))
    }

    fn commit(&self, person: Person, folder: &str, message: &str) -> Result<(), Failure> {
        self.git(person, folder, &["commit", "-q", "-am", message])?;
        self.git(person, folder, &["push", "-q", "origin", "HEAD:main"])
    }

    fn git(&self, person: Person, folder: &str, words: &[&str]) -> Result<(), Failure> {
        let output = self.command("git", person, folder).args(words).stdin(Stdio::null()).output();
        let output = output.map_err(|_| no_git())?;
        if output.status.success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Failure::new(ExitCode::Git, format!("`git {}` failed: {text}", words.join(" ")), None))
    }

    /// Runs Git where the reader sees it.
    fn shown_git(&self, folder: &str, words: &[&str]) -> Result<(), Failure> {
        self.print(&format!("\n{}\n", self.strong(&format!("$ git {}", words.join(" ")))))?;
        let mut command = self.command("git", ADA, folder);
        command
            .args(["-c", "core.pager=cat", "-c", "pull.rebase=false"])
            .args(words)
            .env("GIT_MERGE_AUTOEDIT", "no")
            .stdin(Stdio::null());
        if self.session.console.quiet {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        command.status().map_err(|_| no_git())?;
        Ok(())
    }

    /// Runs this very program where the reader sees it, and checks that it ends as the tour says.
    fn promote(&self, words: &[&str], expected: i32) -> Result<(), Failure> {
        let typed: Vec<&str> = words.iter().copied().filter(|word| *word != "--quiet").collect();
        self.print(&format!("\n{}\n\n", self.strong(&format!("$ promote {}", typed.join(" ")))))?;
        let program = self.session.world.executable.to_string_lossy().into_owned();
        let mut command = self.command(&program, ADA, "shop");
        command.args(words).stdin(Stdio::null());
        if self.session.console.color {
            command.args(["--color", "always"]);
        }
        // A promotion that only sets the stage is not shown in full.
        if self.session.console.quiet || words.contains(&"--quiet") {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        let status = command.status().map_err(|error| Failure::file("run", Path::new(&program), &error))?;
        if words.contains(&"--quiet") {
            self.print("(done)\n")?;
        }
        if status.code() == Some(expected) {
            return Ok(());
        }
        Err(Failure::new(
            ExitCode::Bug,
            format!("`promote {}` ended with {status}, the tour expected {expected}", typed.join(" ")),
            Some(format!("look at it in {}", self.root.join("shop").display())),
        ))
    }

    /// A command in a folder of the tour, as a person; nothing of the user's own Git settings is needed.
    fn command(&self, program: &str, Person(name): Person, folder: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.root.join(folder));
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), name);
            command.env(
                format!("GIT_{role}_EMAIL"),
                format!("{}@harbour-and-pine.example", name.to_lowercase()),
            );
        }
        // Settings of a developer's shell must not change what the tour shows.
        for variable in
            ["PROMOTE_ENVIRONMENT", "PROMOTE_PROJECT", "MELTANO_ENVIRONMENT", "GIT_DIR", "GIT_WORK_TREE"]
        {
            command.env_remove(variable);
        }
        command
    }
}

/// The line of `daily_revenue.sql`, as Grace mends it and as Ada changes it.
fn hotfix_lines() -> (&'static str, &'static str, &'static str) {
    (
        "    coalesce(sum(orders.net_amount), 0)::decimal(12, 2) as revenue,",
        "    coalesce(sum(orders.net_amount) filter (orders.channel <> 'phone'), 0)::decimal(12, 2) as revenue,",
        "    coalesce(round(sum(orders.net_amount), 2), 0)::decimal(12, 2) as revenue,",
    )
}

fn no_git() -> Failure {
    Failure::new(
        ExitCode::Git,
        "the tour needs the `git` program, which is not on the PATH",
        Some("install it (Debian: apt-get install git)".to_owned()),
    )
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
