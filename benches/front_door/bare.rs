//! The bare counterparts: what the machine does when nothing of Latchkey is between. Each runs as a process of its own,
//! as the server does, and says on its first line where it listens or how fast it was.

use std::{future::Future, net::SocketAddr, time::Duration};

use axum::{Router, body::Bytes, extract::State, response::Html, routing::get};
use sqlx::{PgPool, SqlitePool};

use crate::{Outcome, database::Database, load::number, now};

/// How many connections a bare pool has, as the server's has.
const CONNECTIONS: u32 = 8;
const ONE_ROW: &str = "SELECT email FROM users WHERE id = $1";

/// Hashes for some seconds in one thread, with the server's engine and cost, and prints how many it makes in one.
pub fn hash(secs: &str) -> Outcome<()> {
    use argon2_rust::{Algorithm, Argon2, Params, Version, params::Memory};
    let lasting = Duration::from_secs_f64(secs.parse()?);
    let failed = |error: argon2_rust::Error| error.to_string();
    let params = Params::builder().memory(Memory::kib(19_456)).passes(2).lanes(1).threads(1).build().map_err(failed)?;
    let mut hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hasher();
    let mut tag = [0; 32];
    hasher.hash_into(b"correct horse", b"0123456789abcdef", &mut tag).map_err(failed)?;
    let (started, mut made) = (now(), 0);
    while started.elapsed() < lasting {
        hasher.hash_into(b"correct horse", b"0123456789abcdef", &mut tag).map_err(failed)?;
        made += 1;
    }
    println!("{}", number(made) / started.elapsed().as_secs_f64());
    Ok(())
}

/// Serves one primary-key read by the database's own driver.
pub fn serve_row(url: &str, id: &str) -> Outcome<()> {
    let id = id.to_owned();
    run(async move {
        let router = if Database::is_sqlite(url) {
            let options =
                sqlx::sqlite::SqlitePoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false);
            Router::new().route("/", get(sqlite_row)).with_state((options.connect(url).await?, id))
        } else {
            let options = sqlx::postgres::PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false);
            Router::new().route("/", get(postgres_row)).with_state((options.connect(url).await?, id))
        };
        serve(router).await
    })
}

async fn sqlite_row(State((pool, id)): State<(SqlitePool, String)>) -> String {
    sqlx::query_scalar(ONE_ROW).bind(id).fetch_one(&pool).await.unwrap_or_default()
}

async fn postgres_row(State((pool, id)): State<(PgPool, String)>) -> String {
    sqlx::query_scalar(ONE_ROW).bind(id).fetch_one(&pool).await.unwrap_or_default()
}

/// Serves the bytes of a file as a page.
pub fn serve_page(file: &str) -> Outcome<()> {
    let page = Bytes::from(std::fs::read(file)?);
    run(serve(Router::new().route("/", get(move || std::future::ready(Html(page.clone()))))))
}

fn run(work: impl Future<Output = Outcome<()>>) -> Outcome<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

async fn serve(router: Router) -> Outcome<()> {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("{}", listener.local_addr()?);
    let builder = hyper_util::server::conn::auto::Builder::new(hyper_util::rt::TokioExecutor::new());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = hyper_util::service::TowerToHyperService::new(router.clone());
        let builder = builder.clone();
        tokio::spawn(async move {
            // A client that goes away ends its connection.
            let _ = builder.serve_connection(hyper_util::rt::TokioIo::new(stream), service).await;
        });
    }
}
