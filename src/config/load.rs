//! The sources of settings: one file and the environment, merged into one table that remembers who said what.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use super::{Config, DEFAULT_FILE, ProviderSettings, keys};

/// What every variable begins with.
const PREFIX: &str = "LATCHKEY_";

/// What the settings of the program itself are called where one of them is wrong.
const PROGRAM: &str = "the program";

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// Neither: it has its default.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "in {}", path.display()),
            Self::Variable(name) => write!(f, "from {name}"),
            Self::Default => f.write_str("by default"),
        }
    }
}

/// The configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{path} can't be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is no TOML.
    #[error("{path}, line {line}: {problem}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What the parser said.
        problem: String,
    },
    /// Nobody knows the key.
    #[error("unknown setting `{key}` {origin}; the nearest known one is `{nearest}`")]
    Unknown {
        /// The key.
        key: String,
        /// Who said it.
        origin: Origin,
        /// What may have been meant.
        nearest: String,
    },
    /// The value is wrong.
    #[error("setting `{key}` {origin}: {problem}")]
    Invalid {
        /// The key.
        key: String,
        /// Who said it.
        origin: Origin,
        /// What is wrong with it.
        problem: String,
    },
}

/// All settings that somebody said.
pub(super) struct Sources {
    table: Table,
    /// Keys that a variable set, with its name.
    variables: BTreeMap<String, String>,
    file: Option<PathBuf>,
}

/// Reads the program's own settings, over these the file, then the variables.
pub(super) fn read(
    defaults: &str,
    path: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
) -> Result<Sources, ConfigError> {
    let mut sources = read_file(path)?;
    let mut table = parse(Path::new(PROGRAM), defaults)?;
    lay_over(&mut table, std::mem::take(&mut sources.table));
    sources.table = table;
    let mut variables: Vec<(String, String)> = env.filter(|(name, _)| is_ours(name)).collect();
    variables.sort();
    for (name, text) in variables {
        sources.set_variable(&name, &text)?;
    }
    Ok(sources)
}

/// Whether a variable is meant as a setting. Others set names of this prefix too (Kubernetes for a service of this
/// name, our tests), so that only what looks like a key, or nearly, is one.
fn is_ours(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|key| key.contains("__") || keys::looks_like_key(&key.to_lowercase()))
}

fn read_file(path: Option<&Path>) -> Result<Sources, ConfigError> {
    let default = Path::new(DEFAULT_FILE);
    let file = path.or_else(|| default.exists().then_some(default)).map(Path::to_owned);
    let table = file.as_deref().map(parse_file).transpose()?.unwrap_or_default();
    Ok(Sources { table, variables: BTreeMap::new(), file })
}

fn parse_file(path: &Path) -> Result<Table, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    parse(path, &text)
}

/// What the later one says holds; a list as a whole.
fn lay_over(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (_, value) => drop(below.insert(key, value)),
        }
    }
}

fn parse(path: &Path, text: &str) -> Result<Table, ConfigError> {
    let table: Table = text.parse().map_err(|error| syntax_error(path, text, &error))?;
    let Some(key) = keys::unknown_key(&table) else { return Ok(table) };
    let nearest = keys::nearest(&key);
    Err(ConfigError::Unknown { key, origin: Origin::File(path.to_owned()), nearest })
}

/// Names the line, but does not quote it: it may hold a secret.
fn syntax_error(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
    ConfigError::Syntax { path: path.to_owned(), line, problem: error.message().replace('\n', ", ") }
}

impl Sources {
    /// Reads the table into settings.
    pub(super) fn to_config(&self) -> Result<Config, ConfigError> {
        let read = serde_path_to_error::deserialize(Value::Table(self.table.clone()));
        read.map_err(|error: serde_path_to_error::Error<toml::de::Error>| {
            self.invalid(error.path().to_string(), error.inner().message().trim().replace('\n', ", "))
        })
    }

    /// An error about the value of `key`, with its origin.
    pub(super) fn invalid(&self, key: impl Into<String>, problem: impl Into<String>) -> ConfigError {
        let key = key.into();
        let origin = self.origin(&key);
        ConfigError::Invalid { key, origin, problem: problem.into() }
    }

    fn origin(&self, key: &str) -> Origin {
        let said = self.by_id(key).replace('-', "_");
        let variable = self.variables.iter().find(|(known, _)| said.starts_with(known.as_str()));
        match (variable, &self.file) {
            (Some((_, name)), _) => Origin::Variable(name.clone()),
            (None, Some(file)) if self.is_in_table(key) => Origin::File(file.clone()),
            _ => Origin::Default,
        }
    }

    /// A key as variables name it: with the id of what stands in a list, and not with its place.
    fn by_id(&self, key: &str) -> String {
        let id = || {
            let (list, rest) = key.split_once('[')?;
            let (place, rest) = rest.split_once(']')?;
            let listed = self.table.get(list)?.get(place.parse::<usize>().ok()?)?;
            Some(format!("{list}.{}{rest}", listed.get("id")?.as_str()?))
        };
        id().unwrap_or_else(|| key.to_owned())
    }

    fn is_in_table(&self, key: &str) -> bool {
        let mut names = key.split(['.', '[']);
        let section = names.next().and_then(|section| self.table.get(section));
        match (section, names.next()) {
            (Some(Value::Table(keys)), Some(name)) => keys.contains_key(name),
            (section, _) => section.is_some(),
        }
    }

    fn set_variable(&mut self, name: &str, text: &str) -> Result<(), ConfigError> {
        let key = name.trim_start_matches(PREFIX).to_lowercase();
        let path: Vec<&str> = key.split("__").collect();
        let dotted = path.join(".");
        let origin = || Origin::Variable(name.to_owned());
        let Some(kind) = keys::kind_of(&path) else {
            let nearest = keys::nearest(&dotted).to_uppercase().replace('.', "__");
            let nearest = format!("{PREFIX}{nearest}");
            return Err(ConfigError::Unknown { key: dotted, origin: origin(), nearest });
        };
        let value = keys::value_of(kind, text);
        let value = value.map_err(|problem| ConfigError::Invalid { key: dotted.clone(), origin: origin(), problem })?;
        let place = match path.as_slice() {
            [list @ ("providers" | "webhooks"), id, rest @ ..] => {
                self.named(list, id).and_then(|table| entry(table, rest))
            }
            path => entry(&mut self.table, path),
        };
        let Some(place) = place else {
            let problem = "the file has something else in its place".to_owned();
            return Err(ConfigError::Invalid { key: dotted, origin: origin(), problem });
        };
        *place = value;
        self.variables.insert(dotted, name.to_owned());
        Ok(())
    }

    /// The table of the provider or webhook that a variable names; `_` in the variable stands for `-` in the id too. One that
    /// the file does not have is added behind the others.
    fn named(&mut self, list: &str, id: &str) -> Option<&mut Table> {
        let is_provider = list == "providers";
        let default = || {
            let default = is_provider.then(|| Value::try_from(vec![ProviderSettings::default()]).ok()).flatten();
            default.unwrap_or(Value::Array(Vec::new()))
        };
        let listed = self.table.entry(list).or_insert_with(default).as_array_mut()?;
        let has_id =
            |one: &Value| one.get("id").and_then(Value::as_str).is_some_and(|known| known.replace('-', "_") == id);
        let known = listed.iter().position(has_id);
        let index = known.unwrap_or_else(|| {
            let names = ["id", "kind"].into_iter().filter(|name| is_provider || *name == "id");
            let names = names.map(|name| (name.to_owned(), Value::String(id.to_owned())));
            listed.push(Value::Table(names.collect()));
            listed.len() - 1
        });
        listed.get_mut(index)?.as_table_mut()
    }
}

/// The place of `path` in `table`, made if it is missing; `None` if something that is no table stands in the way.
fn entry<'a>(table: &'a mut Table, path: &[&str]) -> Option<&'a mut Value> {
    let (last, sections) = path.split_last()?;
    let mut table = table;
    for section in sections {
        table = table.entry(*section).or_insert_with(|| Value::Table(Table::new())).as_table_mut()?;
    }
    Some(table.entry(*last).or_insert(Value::Boolean(false)))
}
