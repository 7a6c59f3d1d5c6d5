//! The accept loop: so many connections at once and of one client, time limits for the heads of requests and for what
//! rests, and an end in which requests in flight are answered. `axum::serve` offers no such limit.

use std::{future::Future, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulConnection},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, OwnedSemaphorePermit, Semaphore, watch},
    time::timeout,
};
use tower::ServiceExt;

use super::clients::Clients;

/// How often a quiet HTTP/2 connection is asked whether anybody is there.
const HTTP2_PING_EVERY: Duration = Duration::from_secs(20);
/// The most connections at once; more wait to be accepted.
const MAX_CONNECTIONS: usize = 8_192;

type ConnectionError = Box<dyn std::error::Error + Send + Sync>;

/// How long the server waits.
#[derive(Clone, Copy)]
pub(super) struct Waits {
    /// For the head of a request; a connection of HTTP/1 that is kept open waits as long for the next one.
    pub header: Duration,
    /// For the next request, of whatever HTTP; and then once more for answers to be taken.
    pub idle: Duration,
    /// For requests in flight, when it is told to stop.
    pub shutdown: Duration,
}

/// Answers whoever connects until told to stop, then lets requests in flight end.
pub(super) async fn accept(
    listener: TcpListener,
    router: &Router,
    (waits, clients): (Waits, Clients),
    stop: impl Future<Output = ()>,
) {
    let (stopped, stopping) = watch::channel(());
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = next_connection(&listener, &places) => accepted,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        // One of too many is closed, and nothing is said: whoever opens them does not read.
        let Some(of_client) = clients.enter(peer.ip()) else { continue };
        let asked = Arc::new(Notify::new());
        let connection = connection((stream, peer), router, (waits, asked.clone()));
        let served = serve(connection, (asked, waits), stopping.clone());
        tokio::spawn(async move {
            // A client that goes away or sends what is no HTTP is nobody's fault here.
            if let Err(error) = served.await {
                tracing::debug!(%error, "a connection ended badly");
            }
            drop((place, of_client));
        });
    }
    // Closed before the requests in flight end, so that whoever comes now is sent to another server at once.
    drop((listener, stopping));
    let _ = stopped.send(());
    if timeout(waits.shutdown, stopped.closed()).await.is_err() {
        tracing::warn!("some requests did not end in {:?} and were cut off", waits.shutdown);
    }
}

/// Serves one connection, until it ends or has rested for too long: to answer pings is to ask for nothing.
async fn serve(
    connection: impl GracefulConnection<Error = ConnectionError>,
    (asked, waits): (Arc<Notify>, Waits),
    mut stopping: watch::Receiver<()>,
) -> Result<(), ConnectionError> {
    let mut connection = pin!(connection);
    let is_stopping = tokio::select! {
        ended = &mut connection => return ended,
        has_asked = rest(&asked, waits) => {
            if !has_asked {
                tracing::debug!("a connection that asked nothing was closed");
                return Ok(());
            }
            false
        }
        _ = stopping.changed() => true,
    };
    connection.as_mut().graceful_shutdown();
    if is_stopping {
        return connection.await;
    }
    timeout(waits.idle, connection).await.unwrap_or_else(|_| {
        tracing::debug!("a connection that left an answer unread was closed");
        Ok(())
    })
}

/// Ends where nothing is asked any more; whether anything was. The reading of a head has its limit only once it is known
/// to be HTTP.
async fn rest(asked: &Notify, waits: Waits) -> bool {
    if timeout(waits.header, asked.notified()).await.is_err() {
        return false;
    }
    while timeout(waits.idle, asked.notified()).await.is_ok() {}
    true
}

async fn next_connection(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection can't be told to send at once");
            }
            Some((stream, peer, place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            // Most often there are no file descriptors left; only time brings some back.
            #[expect(clippy::disallowed_methods, reason = "there is nothing to wait for but time")]
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

fn connection(
    (stream, peer): (TcpStream, SocketAddr),
    router: &Router,
    (waits, asked): (Waits, Arc<Notify>),
) -> impl GracefulConnection<Error = ConnectionError> + Send + 'static {
    let service = router.clone().map_request(move |request: hyper::Request<Incoming>| {
        asked.notify_one();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(waits.header);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HTTP2_PING_EVERY).max_concurrent_streams(100);
    builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).into_owned()
}
