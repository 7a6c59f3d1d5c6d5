//! The accept loop: so many connections at once, time limits for the heads of requests, and an end in which requests in
//! flight are answered. `axum::serve` offers neither limit.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
};
use tower::ServiceExt;

/// How often a quiet HTTP/2 connection is asked whether anybody is there.
const HTTP2_PING_EVERY: Duration = Duration::from_secs(20);
/// The most connections at once; more wait to be accepted.
const MAX_CONNECTIONS: usize = 8_192;

/// How long the server waits.
#[derive(Clone, Copy)]
pub(super) struct Waits {
    /// For the head of a request; a connection that is kept open waits as long for the next one.
    pub header: Duration,
    /// For requests in flight, when it is told to stop.
    pub shutdown: Duration,
}

/// Answers whoever connects until told to stop, then lets requests in flight end.
pub(super) async fn accept(listener: TcpListener, router: &Router, waits: Waits, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = next_connection(&listener, &places) => accepted,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        let spoke = Arc::new(Notify::new());
        let connection = graceful.watch(connection((stream, peer), router, (waits, spoke.clone())));
        tokio::spawn(async move {
            tokio::select! {
                // A client that goes away or sends what is no HTTP is nobody's fault here.
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended badly");
                },
                () = silence(&spoke, waits.header) => tracing::debug!("a connection that asked nothing was closed"),
            }
            drop(place);
        });
    }
    // Closed before the requests in flight end, so that whoever comes now is sent to another server at once.
    drop(listener);
    if tokio::time::timeout(waits.shutdown, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in {:?} and were cut off", waits.shutdown);
    }
}

/// Ends where nothing was asked in time: the reading of a head has its limit only once it is known to be HTTP.
async fn silence(spoke: &Notify, limit: Duration) {
    if tokio::time::timeout(limit, spoke.notified()).await.is_ok() {
        std::future::pending::<()>().await;
    }
}

async fn next_connection(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
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
    (waits, spoke): (Waits, Arc<Notify>),
) -> impl hyper_util::server::graceful::GracefulConnection<Error = Box<dyn std::error::Error + Send + Sync>> + Send + 'static
{
    let service = router.clone().map_request(move |request: hyper::Request<Incoming>| {
        spoke.notify_one();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(waits.header);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HTTP2_PING_EVERY).max_concurrent_streams(100);
    builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).into_owned()
}
