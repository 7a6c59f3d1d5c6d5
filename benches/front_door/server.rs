//! The server that is measured: `target/release/latchkey` as a process of its own, configured by its environment, with
//! its data in a folder that is gone afterwards. Limits are off, passwords cost what they cost by default.

use std::{
    env, fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{
    Outcome,
    client::{Client, get},
    database::Database,
    now, rest,
};

const LIMITS: [&str; 13] = [
    "LOG_IN_PER_IP",
    "LOG_IN_PER_ACCOUNT",
    "LOG_IN_PER_ACCOUNT_ANYWHERE",
    "REGISTER_PER_IP",
    "REGISTER_PER_ACCOUNT",
    "CHANGE_PASSWORD_PER_ACCOUNT",
    "SETUP_PER_IP",
    "RECOVER_PER_IP",
    "RECOVER_PER_ACCOUNT",
    "MAIL_PER_ACCOUNT",
    "CODE_PER_IP",
    "CODE_PER_ACCOUNT",
    "ACCEPT_INVITE_PER_IP",
];
/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process that is ended when dropped.
pub struct Process(Child);

impl Process {
    /// Its memory in KiB, as `/proc` has it: `VmRSS` now, `VmHWM` at its peak.
    pub fn memory_kib(&self, field: &str) -> Outcome<usize> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find(|line| line.starts_with(field)).ok_or("no such field")?;
        Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that is ready.
pub struct Server {
    /// Its process.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    /// From the start of the process to the first word that it is ready.
    pub took: Duration,
    /// Where its key and its log are.
    pub folder: PathBuf,
}

impl Server {
    /// Starts a server and waits until it is ready.
    pub async fn start(database: &Database, core: Option<usize>) -> Outcome<Self> {
        Self::start_with(database, core, &[]).await
    }

    /// The same with more in its environment.
    pub async fn start_with(database: &Database, core: Option<usize>, settings: &[(String, String)]) -> Outcome<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let folder = env::temp_dir().join(format!("latchkey-bench-{}-{}", std::process::id(), address.port()));
        fs::create_dir_all(&folder)?;
        let mut command = command(&binary()?, core);
        configure(&mut command, database, &folder);
        command
            .env("LATCHKEY_SERVER__LISTEN", address.to_string())
            .env("LATCHKEY_SERVER__PUBLIC_URL", format!("http://{address}"))
            .envs(settings.iter().cloned())
            .arg("serve");
        let started = now();
        let process = Process(command.spawn()?);
        let took = loop {
            if is_ready(address).await {
                break started.elapsed();
            }
            if started.elapsed() > PATIENCE {
                let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
                return Err(format!("the server does not start:\n{log}").into());
            }
            rest(Duration::from_millis(1)).await;
        };
        Ok(Self { process, address, took, folder })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Runs a command of the binary to its end, with this on standard input.
pub fn run(database: &Database, arguments: &[&str], input: &str) -> Outcome<()> {
    use std::io::Write as _;
    let folder = env::temp_dir().join(format!("latchkey-bench-{}-command", std::process::id()));
    fs::create_dir_all(&folder)?;
    let mut command = command(&binary()?, None);
    configure(&mut command, database, &folder);
    let mut child = command.args(arguments).stdin(Stdio::piped()).spawn()?;
    child.stdin.take().ok_or("no standard input")?.write_all(input.as_bytes())?;
    let status = child.wait()?;
    let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
    fs::remove_dir_all(&folder)?;
    if status.success() { Ok(()) } else { Err(format!("latchkey {}: {log}", arguments.join(" ")).into()) }
}

/// A bare counterpart: this program under another name. Answers where it listens.
pub fn bare(arguments: &[&str], core: Option<usize>) -> Outcome<(Process, String)> {
    use std::io::{BufRead as _, BufReader};
    let mut command = command(&env::current_exe()?, core);
    let mut child = command.args(arguments).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().ok_or("no standard output")?;
    let mut line = String::new();
    let process = Process(child);
    BufReader::new(output).read_line(&mut line)?;
    Ok((process, line.trim().to_owned()))
}

fn command(program: &Path, core: Option<usize>) -> Command {
    let Some(core) = core else { return Command::new(program) };
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program);
    command
}

fn configure(command: &mut Command, database: &Database, folder: &Path) {
    command
        .current_dir(folder)
        .env("LATCHKEY_DATABASE__URL", &database.url)
        .env("LATCHKEY_KEYS__DIRECTORY", folder)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    if let Ok(log) = fs::File::create(folder.join("log")) {
        command.stderr(log);
    }
    for limit in LIMITS {
        command.env(format!("LATCHKEY_LIMITS__{limit}"), "off");
    }
}

/// The binary that `make build` leaves beside this one.
fn binary() -> Outcome<PathBuf> {
    if let Some(named) = env::var_os("LATCHKEY_BINARY") {
        return Ok(named.into());
    }
    let beside = env::current_exe()?.parent().and_then(Path::parent).ok_or("no folder")?.join("latchkey");
    if beside.exists() { Ok(beside) } else { Err("target/release/latchkey is missing: run `make build`".into()) }
}

async fn is_ready(address: SocketAddr) -> bool {
    let Ok(mut client) = Client::connect(address).await else { return false };
    client.ask(&get("/health/ready", "")).await.is_ok_and(|answer| answer.status == 200)
}
