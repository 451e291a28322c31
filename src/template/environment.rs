//! The one Jinja environment.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{FunctionArgs, Serde};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::Serialize;

use super::error::TemplateError;

/// Instructions that one rendering may take: far above what a model needs, and a second at most.
const FUEL: u64 = 5_000_000;

/// A Jinja environment with the functions of one kind of template.
pub struct Engine {
    environment: Environment<'static>,
    /// Imports of the libraries' macros; on one line, so that lines of what is rendered stay.
    imports: String,
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine {
    /// Makes an environment without functions of its own.
    pub fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| {
            if std::path::Path::new(name).extension().is_some_and(|extension| extension == "html") {
                AutoEscape::Html
            } else {
                AutoEscape::None
            }
        });
        let mut syntax = SyntaxConfig::builder();
        syntax.keep_trailing_newline(true);
        environment.set_syntax(syntax.build().expect("the delimiters are the default ones"));
        environment.set_fuel(Some(FUEL));
        Self { environment, imports: String::new() }
    }

    /// Adds a function, such as `ref`.
    pub fn function<F, Rv, Args>(&mut self, name: &'static str, function: F)
    where
        F: minijinja::functions::Function<Rv, Args>,
        Rv: minijinja::value::FunctionResult,
        Args: for<'a> FunctionArgs<'a>,
    {
        self.environment.add_function(name, function);
    }

    /// Adds a value that every template sees, such as `target`.
    pub fn global(&mut self, name: &'static str, value: impl Serialize) {
        self.environment.add_global(name, Value::from(Serde(value)));
    }

    /// Adds a file of macros; every text that is rendered afterwards sees them by their names.
    ///
    /// # Errors
    ///
    /// [`TemplateError`] if the file does not parse or fails.
    pub fn library(&mut self, name: &str, text: &str) -> Result<(), TemplateError> {
        let failed = |error: minijinja::Error| TemplateError::of(name, &error);
        self.environment.add_template_owned(name.to_owned(), text.to_owned()).map_err(failed)?;
        let template = self.environment.get_template(name).map_err(failed)?;
        let captured = template.render_captured(()).map_err(failed)?;
        let macros: Vec<&str> = captured.state().exports();
        if !macros.is_empty() {
            use std::fmt::Write as _;
            write!(self.imports, "{{% from {name:?} import {} %}}", macros.join(", "))
                .expect("a string takes all that is written");
        }
        Ok(())
    }

    /// Renders a text.
    ///
    /// Shape: `name` is what errors call the text; a name that ends in `.html` is escaped for HTML.
    ///
    /// # Errors
    ///
    /// [`TemplateError`] if the text does not parse, refers to something undefined, fails in a
    /// function, or takes too many steps.
    pub fn render(&self, name: &str, text: &str, context: impl Serialize) -> Result<String, TemplateError> {
        let text = if self.imports.is_empty() { text } else { &format!("{}{text}", self.imports) };
        self.environment
            .render_named_str(name, text, Value::from(Serde(context)))
            .map_err(|error| TemplateError::of(name, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_the_macros_of_a_library() {
        let mut engine = Engine::new();
        engine.function("ref", |name: String| format!("s.{name}"));
        engine.library("m/a.sql", "{% macro cents(x) %}({{ x }} * 100)::int{% endmacro %}\n{% macro t() %}{{ ref('t') }}{% endmacro %}").unwrap();
        assert_eq!(
            engine.render("m.sql", "  select {{ cents('a') }} from {{ t() }}", ()).unwrap(),
            "  select (a * 100)::int from s.t"
        );
        assert_eq!(engine.render("m.sql", "\n{{ x }}", ()).unwrap_err().line, Some(2));
    }

    #[test]
    fn renders_and_refuses_what_is_undefined() {
        let mut engine = Engine::new();
        engine.function("ref", |name: String| format!("analytics.{name}"));
        let context = std::collections::BTreeMap::from([("limit", 3)]);
        assert_eq!(
            engine.render("m.sql", "select * from {{ ref('a') }} limit {{ limit }}\n", &context).unwrap(),
            "select * from analytics.a limit 3\n"
        );
        let error = engine.render("m.sql", "select 1,\n {{ nothing }}", &context).unwrap_err();
        assert_eq!((error.name.as_str(), error.line), ("m.sql", Some(2)));
        assert!(
            engine
                .render(
                    "m.sql",
                    "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}",
                    ()
                )
                .is_err()
        );
    }
}
