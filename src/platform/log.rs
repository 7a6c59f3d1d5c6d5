//! Logs: one line an event on standard error, for people on a terminal and as JSON for machines elsewhere.
//! `RUST_LOG` wins over the configuration. Secrets never get here: their types don't print them.

use std::io::{self, IsTerminal};

use serde::{Deserialize, Serialize};
use tracing_subscriber::{
    EnvFilter,
    filter::ParseError,
    util::{SubscriberInitExt, TryInitError},
};

/// `[log]`: what is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// `pretty` or `json`; when absent, `pretty` on a terminal, else `json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<LogFormat>,
    /// What is logged, such as `info` or `latchkey=debug,sqlx=warn`; the variable `RUST_LOG` wins.
    pub filter: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: None, filter: "info,tower_sessions=error,tower_sessions_core=error".to_owned() }
    }
}

impl LogSettings {
    /// What is wrong with the filter, if anything.
    pub fn problem(&self) -> Option<String> {
        // The parser takes what has blanks in it for the name of a target, and then nothing is logged.
        if self.filter.split(',').any(|part| part.trim().contains(char::is_whitespace)) {
            return Some(format!(
                "`{}` has blanks in it; write levels and targets such as `info,sqlx=warn`",
                self.filter
            ));
        }
        EnvFilter::try_new(&self.filter).err().map(|error| error.to_string())
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// The logs can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is no filter.
    #[error("log.filter `{filter}` is no filter: {source}")]
    Filter {
        /// The text.
        filter: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// Somebody set up the logs before.
    #[error("the logs are already set up: {0}")]
    Twice(#[from] TryInitError),
}

/// Sets up the logs of this process; called once, at the start.
///
/// # Errors
/// [`LogError`] if the filter is wrong or the logs were set up before.
pub fn init(settings: &LogSettings) -> Result<(), LogError> {
    let filter = filter(settings)?;
    let is_pretty = settings.format.map_or_else(|| io::stderr().is_terminal(), |format| format == LogFormat::Pretty);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    if is_pretty {
        builder.with_ansi(io::stderr().is_terminal()).finish().try_init()?;
    } else {
        builder.json().flatten_event(true).with_current_span(true).with_span_list(false).finish().try_init()?;
    }
    Ok(())
}

/// Tells the path of every request, and so the secret of a mailed link: never to be heard at the level at which it does.
const TELLS_PATHS: &str = "tower_http::csrf::service=debug";

/// The filter of `RUST_LOG` if that is set, else the configured one.
fn filter(settings: &LogSettings) -> Result<EnvFilter, LogError> {
    let text = std::env::var("RUST_LOG").ok().filter(|text| !text.is_empty());
    let filter = text.unwrap_or_else(|| settings.filter.clone());
    let quiet = TELLS_PATHS.parse().map_err(|source| LogError::Filter { filter: TELLS_PATHS.to_owned(), source })?;
    match EnvFilter::try_new(&filter) {
        Ok(wanted) => Ok(wanted.add_directive(quiet)),
        Err(source) => Err(LogError::Filter { filter, source }),
    }
}
