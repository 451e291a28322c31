//! What a connection is told: a URL or keywords, a service file, `PG…` variables, a password file. As libpq reads
//! them, each layer fills what those before it left open.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::warehouse::WarehouseError;

/// Parameters by libpq's keyword.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Parameters(BTreeMap<String, String>);

/// Variables that fill a parameter.
const VARIABLES: &[(&str, &str)] = &[
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("port", "PGPORT"),
    ("dbname", "PGDATABASE"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("passfile", "PGPASSFILE"),
    ("options", "PGOPTIONS"),
    ("application_name", "PGAPPNAME"),
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
];

/// Keywords that are understood besides these.
const FURTHER: &[&str] = &["service", "keepalives", "keepalives_idle", "channel_binding", "gssencmode"];

impl Parameters {
    /// Reads a URL or keywords, and completes them.
    ///
    /// # Errors
    ///
    /// [`WarehouseError::Unreachable`] if they cannot be read, or a service is nowhere described.
    pub(super) fn read(url: &str, variables: &BTreeMap<String, String>) -> Result<Self, WarehouseError> {
        let given = if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            from_url(url)
        } else {
            from_keywords(url)
        };
        let bad = |message: String| WarehouseError::Unreachable { path: words(url), message };
        let mut found = Self(given.map_err(bad)?);
        let variable = |name: &str| variables.get(name).filter(|value| !value.is_empty()).cloned();
        if let Some(service) = found.0.get("service").cloned().or_else(|| variable("PGSERVICE")) {
            let files = service_files(variables);
            let described = files.iter().find_map(|file| {
                let text = std::fs::read_to_string(file).ok()?;
                section(&text, &service)
            });
            let described = described.ok_or_else(|| {
                let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
                bad(format!("service `{service}` is described in none of {}", names.join(", ")))
            })?;
            for (key, value) in described {
                found.0.entry(key).or_insert(value);
            }
        }
        for (key, name) in VARIABLES {
            if let Some(value) = variable(name) {
                found.0.entry((*key).to_owned()).or_insert(value);
            }
        }
        if let Some(unknown) = found.0.keys().find(|key| !is_known(key)) {
            return Err(bad(format!("`{unknown}` is no parameter of a connection")));
        }
        found.complete(variables);
        Ok(found)
    }

    /// Fills in what has a default, and the password from its file.
    fn complete(&mut self, variables: &BTreeMap<String, String>) {
        let system = variables.get("USER").or_else(|| variables.get("LOGNAME")).cloned();
        let user = self
            .0
            .entry("user".to_owned())
            .or_insert_with(|| system.unwrap_or_else(|| "postgres".to_owned()));
        let user = user.clone();
        self.0.entry("dbname".to_owned()).or_insert(user);
        let host = || {
            let socket = std::path::Path::new("/var/run/postgresql");
            if socket.exists() { socket.display().to_string() } else { "localhost".to_owned() }
        };
        if !self.0.contains_key("hostaddr") {
            self.0.entry("host".to_owned()).or_insert_with(host);
        }
        self.0.entry("port".to_owned()).or_insert_with(|| "5432".to_owned());
        if self.0.contains_key("password") {
            return;
        }
        let home = variables.get("HOME").map(|home| PathBuf::from(home).join(".pgpass"));
        let file = self.0.get("passfile").map(PathBuf::from).or(home);
        let text = file.filter(|file| is_private(file)).and_then(|file| std::fs::read_to_string(file).ok());
        if let Some(password) = text.and_then(|text| password(&text, &self.0)) {
            self.0.insert("password".to_owned(), password);
        }
    }

    /// Gives one of them.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The same server with another database.
    pub(super) fn database(&self, name: &str) -> Self {
        let mut other = self.0.clone();
        other.insert("dbname".to_owned(), name.to_owned());
        Self(other)
    }

    /// The same place for another user.
    pub(super) fn login(&self, user: &str, password: &str) -> Self {
        let mut other = self.0.clone();
        other.insert("user".to_owned(), user.to_owned());
        other.insert("password".to_owned(), password.to_owned());
        Self(other)
    }

    /// Names the place for people, without the password.
    pub(super) fn place(&self) -> String {
        let host = self.get("host").or_else(|| self.get("hostaddr")).unwrap_or_default();
        let (port, database) = (self.get("port").unwrap_or_default(), self.get("dbname").unwrap_or_default());
        format!("{host}:{port}/{database}")
    }
}

fn is_known(key: &str) -> bool {
    VARIABLES.iter().any(|(known, _)| *known == key) || FURTHER.contains(&key)
}

/// Names a warehouse by its URL or keywords, without its password.
pub fn words(url: &str) -> String {
    let parsed = if url.contains("://") { from_url(url) } else { from_keywords(url) };
    let Ok(parameters) = parsed else { return "its URL".to_owned() };
    let get = |key: &str| parameters.get(key).cloned();
    if let Some(service) = get("service") {
        return format!("service {service}");
    }
    let host = get("host").or_else(|| get("hostaddr")).unwrap_or_default();
    let port = get("port").map(|port| format!(":{port}")).unwrap_or_default();
    format!("{host}{port}/{}", get("dbname").unwrap_or_default())
}

/// Reads `postgres://user:password@host:port,host:port/database?key=value`.
fn from_url(url: &str) -> Result<BTreeMap<String, String>, String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = login.split_once(':').map_or((login, None), |(user, word)| (user, Some(word)));
    let mut found = BTreeMap::new();
    let mut keep = |key: &str, value: &str| -> Result<(), String> {
        let value =
            decoded(value).ok_or_else(|| format!("`{key}` is not percent-encoded as it should be"))?;
        if !value.is_empty() {
            found.insert(key.to_owned(), value);
        }
        Ok(())
    };
    keep("user", user)?;
    keep("password", password.unwrap_or_default())?;
    keep("dbname", database)?;
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for host in hosts.split(',').filter(|host| !host.is_empty()) {
        let after_address = host.rfind(']').unwrap_or(0);
        let colon = host[after_address..].rfind(':').map(|at| at + after_address);
        let (name, port) = colon.map_or((host, ""), |at| (&host[..at], &host[at + 1..]));
        names.push(name.trim_start_matches('[').trim_end_matches(']'));
        ports.push(port);
    }
    keep("host", &names.join(","))?;
    if ports.iter().any(|port| !port.is_empty()) {
        let ports: Vec<&str> = ports.iter().map(|port| if port.is_empty() { "5432" } else { port }).collect();
        keep("port", &ports.join(","))?;
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(|| format!("`{pair}` is not `key=value`"))?;
        keep(key, value)?;
    }
    Ok(found)
}

/// Reads `host=a dbname='b c'`.
fn from_keywords(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (key, after) =
            rest.split_once('=').ok_or_else(|| "it is neither a URL nor `key=value`".to_owned())?;
        let after = after.trim_start();
        let (mut value, mut end, mut escaped) = (String::new(), after.len(), false);
        let quoted = after.starts_with('\'');
        for (at, next) in after.char_indices().skip(usize::from(quoted)) {
            if escaped || next == '\\' {
                if escaped {
                    value.push(next);
                }
                escaped = !escaped;
            } else if (quoted && next == '\'') || (!quoted && next.is_whitespace()) {
                end = at + next.len_utf8();
                break;
            } else {
                value.push(next);
            }
        }
        found.insert(key.trim().to_owned(), value);
        rest = after[end..].trim_start();
    }
    Ok(found)
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

fn service_files(variables: &BTreeMap<String, String>) -> Vec<PathBuf> {
    let own = variables.get("PGSERVICEFILE").map(PathBuf::from);
    let own = own.or_else(|| variables.get("HOME").map(|home| PathBuf::from(home).join(".pg_service.conf")));
    let system = variables.get("PGSYSCONFDIR").map_or("/etc/postgresql-common", String::as_str);
    own.into_iter().chain([PathBuf::from(system).join("pg_service.conf")]).collect()
}

/// Reads one section of a service file.
fn section(text: &str, name: &str) -> Option<BTreeMap<String, String>> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.find(|line| line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) == Some(name))?;
    let pairs = lines.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once('='));
    Some(pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect())
}

/// Whether nobody else may read a file: a password file that others can read is not used.
fn is_private(file: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.mode().trailing_zeros() >= 6)
}

/// Finds the password of a connection in a file of `host:port:database:user:password`.
fn password(text: &str, parameters: &BTreeMap<String, String>) -> Option<String> {
    let of = |key: &str| parameters.get(key).map(String::as_str).unwrap_or_default();
    let host = if of("host").starts_with('/') { "localhost" } else { of("host") };
    let wanted = [host, of("port"), of("dbname"), of("user")];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let [rest @ .., password] = fields.as_slice() else { return None };
        let fits =
            rest.len() == 4 && rest.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
        fits.then(|| password.clone())
    })
}

/// Splits at colons; a backslash keeps what follows it.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut escaped) = (vec![String::new()], false);
    for next in line.chars() {
        if !escaped && next == '\\' {
            escaped = true;
            continue;
        }
        if !escaped && next == ':' {
            fields.push(String::new());
        } else if let Some(field) = fields.last_mut() {
            field.push(next);
        }
        escaped = false;
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str, variables: &[(&str, &str)]) -> Parameters {
        let variables =
            variables.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Parameters::read(url, &variables).unwrap()
    }

    #[test]
    fn reads_urls_and_keywords() {
        let url = "postgresql://me:p%40ss@h1:1,[::1]:2/shop?sslmode=verify-full&options=-c%20x%3D1";
        let found = read(url, &[]);
        for (key, value) in [
            ("user", "me"),
            ("password", "p@ss"),
            ("host", "h1,::1"),
            ("port", "1,2"),
            ("dbname", "shop"),
            ("sslmode", "verify-full"),
            ("options", "-c x=1"),
        ] {
            assert_eq!(found.get(key), Some(value), "{key}");
        }
        let found = read("host=/run/x dbname='a \\'b' user = u", &[]);
        assert_eq!((found.get("host"), found.get("dbname")), (Some("/run/x"), Some("a 'b")));
        assert!(Parameters::read("postgres://h/x?sslmod=1", &BTreeMap::new()).is_err());
        assert!(Parameters::read("nonsense", &BTreeMap::new()).is_err());
        assert!(!words("postgres://me:secret@h:1/x").contains("secret"));
    }

    #[test]
    fn fills_what_is_open_from_variables_services_and_the_password_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            use std::os::unix::fs::PermissionsExt as _;
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            path.to_string_lossy().into_owned()
        };
        let services = file("services", "# x\n[other]\nhost=o\n[shop]\nhost=db\ndbname=shop\n");
        let passwords = file("pass", "db:*:shop:me:wo\\:rd\n*:*:*:*:other\n");
        let found = read(
            "postgres://me@/?service=shop",
            &[("PGSERVICEFILE", &services), ("PGPASSFILE", &passwords), ("PGPORT", "7"), ("PGHOST", "no")],
        );
        for (key, value) in
            [("host", "db"), ("port", "7"), ("dbname", "shop"), ("user", "me"), ("password", "wo:rd")]
        {
            assert_eq!(found.get(key), Some(value), "{key}");
        }
        let missing = Parameters::read("service=none", &BTreeMap::new()).unwrap_err();
        assert!(missing.to_string().contains("service `none`"), "{missing}");
    }
}
