//! nginx in front of the server, with the configuration that we ship: only the addresses in it are the test's. Behind it
//! an application that answers with the headers it is sent.

use std::{
    env, fs,
    io::{self, Write},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{self, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use axum::{Router, http::HeaderMap};
use tokio::process::{Child, Command};

use super::{TestApp, mails::eventually};

const SHIPPED: &str = "examples/forward-auth/nginx.conf";

/// A running nginx; gone when dropped.
pub struct Nginx {
    /// Where people reach it.
    pub url: String,
    _child: Child,
}

impl Nginx {
    /// An address that is free now, to be the public one; none of those that outgoing connections get meanwhile, and
    /// never one for two.
    pub fn free_address() -> SocketAddr {
        static GIVEN: AtomicU32 = AtomicU32::new(0);
        let port = || 20_000 + (process::id() + GIVEN.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let free = || TcpListener::bind(format!("127.0.0.1:{}", port())).and_then(|listener| listener.local_addr());
        (0..100).find_map(|_| free().ok()).expect("a free port")
    }

    /// Starts one at `address` before `app`; `None` where it is not set up, which is said loudly and fails under `CI`.
    pub async fn start(app: &TestApp, address: SocketAddr) -> Option<Self> {
        let Some(program) = find() else {
            assert!(env::var_os("CI").is_none(), "nginx is missing, and CI wants it; .ci/setup nginx");
            let _ = writeln!(io::stderr(), "\n!!! SKIPPED: nginx is missing (.ci/setup nginx)");
            return None;
        };
        let shipped = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(SHIPPED)).unwrap();
        let site = shipped
            .replace("127.0.0.1:80;", &format!("{address};"))
            .replace("127.0.0.1:3000", app.url.trim_start_matches("http://"))
            .replace("127.0.0.1:8080", &application().await.to_string());
        let folder = app.folder().join("nginx");
        fs::create_dir_all(&folder).unwrap();
        let folder = folder.display();
        // It gives up the rights of root, and could not write here then.
        let user = if fs::write("/proc/self/oom_score_adj", "0").is_ok() && is_root() { "user root;" } else { "" };
        let config = format!(
            "{user} daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
             events {{}}
             http {{
                 access_log off;
                 client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
                 uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
                 {site}
             }}"
        );
        let file = app.folder().join("nginx/nginx.conf");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(program);
        command.arg("-c").arg(&file).arg("-e").arg(app.folder().join("nginx/error.log"));
        // One process, which is gone when it is killed, and which keeps nobody waiting who reads the tests' output.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.kill_on_drop(true).spawn().unwrap();
        eventually(|| async move { tokio::net::TcpStream::connect(address).await.is_ok() }).await;
        Some(Self { url: format!("http://{address}"), _child: child })
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("nginx")).find(|program| program.exists())
}

/// An application that answers with what it is told of who asks.
async fn application() -> SocketAddr {
    let told = |headers: HeaderMap| async move {
        let of = |name: &str| {
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let names = ["remote-user", "remote-email", "remote-name", "remote-role"];
        names.map(|name| format!("{name}={}", of(name).collect::<Vec<_>>().join("|"))).join("\n")
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router: Router = Router::new().fallback(told);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}
