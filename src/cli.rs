//! The command line: reads what is asked for, does it, and says in one line what went wrong where something did.

mod invite;
mod keys;
mod user;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    app::{AppError, Builder},
    config::{Config, ConfigError},
    events::Scope,
    flows::{self, Services},
    platform::{self, DbError, LogError},
    shared::{EmailAddress, InvalidEmail},
    users,
};

use invite::InviteCommand;
use keys::KeysCommand;
use user::UserCommand;

/// How many rows a list reads at a time.
const LISTED_AT_ONCE: u32 = 500;

/// The front door of a web application: hosted sign-up and login, and a dashboard in which admins manage users.
#[derive(Parser)]
#[command(name = "latchkey", version, about, arg_required_else_help = false)]
struct Cli {
    /// The configuration file; without it, `latchkey.toml` in the working directory if there is one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server; also what happens without a command.
    Serve,
    /// Brings the database to the schema of this version.
    Migrate,
    /// Creates, lists and changes users.
    #[command(subcommand)]
    User(UserCommand),
    /// Invites people, and lists and changes their invites.
    #[command(subcommand)]
    Invite(InviteCommand),
    /// Lists and changes the keys that sign bearer tokens.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Checks and shows the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// Whom or what a command is about.
#[derive(Args)]
struct Target {
    /// The e-mail address or the id.
    target: String,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Reads the configuration and says what is wrong with it; asks no database.
    Check,
    /// Prints the configuration in force, with secrets left out.
    Show,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    App(#[from] AppError),
    #[error(transparent)]
    Flow(#[from] flows::Error),
    #[error(transparent)]
    Users(#[from] users::Error),
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("'{0}' is not an e-mail address")]
    Email(String),
    #[error("there is no user '{0}'")]
    NoSuchUser(String),
    #[error("there is no invite '{0}'")]
    NoSuchInvite(String),
    #[error("'{0}' is no role: admin, member")]
    Role(String),
    #[error("{0}")]
    Note(#[from] users::InvalidNote),
    #[error("--expires-in: {0}")]
    ExpiresIn(String),
    #[error("the database is not migrated: run `latchkey migrate`, or start the server once")]
    NotMigrated,
    #[error("no password came in on standard input")]
    NoPassword,
    #[error("can't read standard input: {0}")]
    Input(#[source] std::io::Error),
    #[error("can't print: {0}")]
    Output(#[source] std::io::Error),
    #[error("can't start: {0}")]
    Runtime(#[source] std::io::Error),
}

/// Runs the command that `arguments` name, with what a program has added to Latchkey; the exit code is 0 on success, 1 on failure and 2 for what can't be read.
pub fn run(builder: Builder, arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return show_usage(&error),
    };
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CliError::Runtime)
        .and_then(|runtime| runtime.block_on(execute(builder, cli)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("latchkey: {error}");
            ExitCode::FAILURE
        }
    }
}

fn show_usage(error: &clap::Error) -> ExitCode {
    // Where help can't be printed there is nobody to tell.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

async fn execute(builder: Builder, cli: Cli) -> Result<(), CliError> {
    let config = builder.config(cli.config.as_deref())?;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(builder, config).await,
        Command::Migrate => migrate(&builder, &config).await,
        Command::Config(ConfigCommand::Check) => check(&builder, &config),
        Command::Config(ConfigCommand::Show) => print(&config.to_toml_redacted()),
        Command::User(command) => {
            let told = open(&builder, &config).await?;
            told.end(user::run(&told, command).await).await
        }
        Command::Invite(command) => {
            let told = open(&builder, &config).await?;
            told.end(invite::run(&told, command).await).await
        }
        Command::Keys(command) => {
            let told = open(&builder, &config).await?;
            told.end(keys::run(&told, command).await).await
        }
    }
}

async fn serve(builder: Builder, config: Config) -> Result<(), CliError> {
    platform::log::init(&config.log)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let stop = stop_signal()?;
    let public_url = config.server.public_url.to_string();
    let app = builder.bind(config).await?;
    tracing::info!(address = %app.local_addr(), %public_url, "serving");
    if let Some(token) = app.latchkey().setup_token() {
        // Printed and not logged: a log that is kept elsewhere is no place for it.
        print(&format!("There is no admin yet. Create the first one here:\n\n    {public_url}/setup?token={token}\n"))?;
    }
    app.serve(stop).await;
    tracing::info!("stopped");
    Ok(())
}

/// Ends at SIGTERM and at SIGINT; both are listened for from here on, before anybody is told that the server serves.
fn stop_signal() -> Result<impl Future<Output = ()>, CliError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(CliError::Runtime)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CliError::Runtime)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

async fn migrate(builder: &Builder, config: &Config) -> Result<(), CliError> {
    let services = builder.services(config).await?;
    let applied = services.platform.db.migrate().await?;
    services.platform.db.close().await;
    print(&match applied {
        0 => "The database is up to date.".to_owned(),
        1 => "1 migration applied.".to_owned(),
        _ => format!("{applied} migrations applied."),
    })
}

fn check(builder: &Builder, config: &Config) -> Result<(), CliError> {
    builder.check(config)?;
    for warning in &config.warnings {
        eprintln!("latchkey: warning: {warning}");
    }
    print("The configuration is fine.")
}

/// What a command works with that speaks to the database.
struct Told {
    services: Services,
    scope: Scope,
    public_url: String,
}

async fn open(builder: &Builder, config: &Config) -> Result<Told, CliError> {
    let services = builder.services(config).await?;
    if services.platform.db.pending_migrations().await? > 0 {
        return Err(CliError::NotMigrated);
    }
    let scope = Scope::operator(services.platform.clock.now());
    Ok(Told { services, scope, public_url: config.server.public_url.to_string() })
}

impl Told {
    async fn end(&self, done: Result<(), CliError>) -> Result<(), CliError> {
        self.services.platform.db.close().await;
        done
    }

    /// The link that carries a secret.
    fn link(&self, token: &platform::SecretToken) -> String {
        format!("{}/link/{}", self.public_url, token.expose())
    }
}

fn read_email(typed: &str) -> Result<EmailAddress, CliError> {
    EmailAddress::parse(typed).map_err(|InvalidEmail| CliError::Email(typed.to_owned()))
}

fn tell(is_json: bool, answer: &Value, words: &str) -> Result<(), CliError> {
    if is_json { print(&answer.to_string()) } else { print(words) }
}

/// Prints a line; a reader that has gone away, as `head` does, is no failure of the command.
fn print(text: &str) -> Result<(), CliError> {
    use std::io::{ErrorKind, Write as _};
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::Output(error)),
        _ => Ok(()),
    }
}
