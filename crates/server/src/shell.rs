//! The network around the gate: axum reads requests and writes replies; pages know nothing of it.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use crate::{
    backups,
    credentials::{draw, hex},
    gate,
    http::{Fields, Method, Reply, Request, parse_multipart},
    installation::Installation,
    routes::{self, Queue},
};

/// The largest form that is read, in bytes.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// The largest form with a file, from somebody who is logged in: the file, and a little for the fields.
pub const UPLOAD_BYTES_MAX: usize = conduct::FILE_BYTES_MAX as usize + (64 << 10);
/// Forms with files that are read at a time.
const UPLOADS_AT_ONCE_MAX: usize = 4;
/// Changes in work at a time; others wait. Each needs a thread, and waits on it for the writer.
const CHANGES_AT_ONCE_MAX: usize = 64;
/// Pages in the making at a time, for each processor. More would only take turns, and hold each other up where two need the same.
const PAGES_A_PROCESSOR: usize = 2;
/// Requests that wait for an answer from elsewhere at a time. Each holds a thread for as long as the answer may take.
const ELSEWHERE_AT_ONCE_MAX: usize = 32;
/// A request whose body takes longer is given up.
const BODY_WAIT: Duration = Duration::from_secs(20);
/// How often the server looks whether a backup is due.
const BACKUP_BEAT: Duration = Duration::from_secs(60);
/// How often the server looks for what is to be mailed.
const MAIL_BEAT: Duration = Duration::from_secs(10);

#[derive(Clone)]
struct Shell {
    house: Arc<Installation>,
    queues: Arc<Queues>,
    uploads: Arc<Semaphore>,
    /// Whether the address in `X-Forwarded-For` counts: a proxy on this machine stands before the server.
    behind_proxy: bool,
}

/// What requests wait for before they are worked at.
struct Queues {
    pages: Arc<Semaphore>,
    long: Arc<Semaphore>,
    changes: Arc<Semaphore>,
    secrets: Arc<Semaphore>,
    elsewhere: Arc<Semaphore>,
}

impl Queues {
    fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let of = |most: usize| Arc::new(Semaphore::new(most));
        Self {
            pages: of(processors * PAGES_A_PROCESSOR),
            long: of((processors / 2).max(1)),
            changes: of(CHANGES_AT_ONCE_MAX),
            secrets: of(processors),
            elsewhere: of(ELSEWHERE_AT_ONCE_MAX),
        }
    }

    /// Waits until it is a request's turn; none once the server closes.
    async fn turn(&self, request: &Request) -> Option<OwnedSemaphorePermit> {
        let queue = match routes::find(request.method, &request.path) {
            Some(Ok((route, _))) => route.queue(),
            _ => Queue::Pages,
        };
        let queue = match queue {
            Queue::Pages => &self.pages,
            Queue::Long => &self.long,
            Queue::Changes => &self.changes,
            Queue::Secrets => &self.secrets,
            Queue::Elsewhere => &self.elsewhere,
        };
        Arc::clone(queue).acquire_owned().await.ok()
    }
}

/// Serves until `until` ends, then answers what is in work.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    house: Arc<Installation>,
    listener: TcpListener,
    behind_proxy: bool,
    until: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let shell = Shell {
        house: Arc::clone(&house),
        queues: Arc::new(Queues::new()),
        uploads: Arc::new(Semaphore::new(UPLOADS_AT_ONCE_MAX)),
        behind_proxy,
    };
    let router = Router::new().fallback(handle).with_state(shell);
    let flushing = tokio::spawn(flush_reads(Arc::clone(&house)));
    let backing_up = tokio::spawn(back_up(Arc::clone(&house)));
    let mailing = tokio::spawn(mail(Arc::clone(&house)));
    let closing = Arc::new(AtomicBool::new(false));
    let making = tokio::task::spawn_blocking({
        let (house, closing) = (Arc::clone(&house), Arc::clone(&closing));
        move || house.make_lists(|| !closing.load(Ordering::Relaxed))
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service).with_graceful_shutdown(until).await;
    flushing.abort();
    backing_up.abort();
    mailing.abort();
    closing.store(true, Ordering::Relaxed);
    let _ = making.await;
    let _ = house.flush_reads();
    served
}

/// Makes the log of readings durable every second.
async fn flush_reads(house: Arc<Installation>) {
    let mut beat = tokio::time::interval(Duration::from_secs(1));
    loop {
        beat.tick().await;
        let house = Arc::clone(&house);
        // A full disk leaves the readings in memory for the next beat.
        let _ = tokio::task::spawn_blocking(move || house.flush_reads()).await;
    }
}

/// Looks every minute whether a backup is due.
async fn back_up(house: Arc<Installation>) {
    let mut beat = tokio::time::interval(BACKUP_BEAT);
    loop {
        beat.tick().await;
        let house = Arc::clone(&house);
        // What became of it stands in the account log.
        let _ = tokio::task::spawn_blocking(move || {
            if let Some(timetable) = &house.timetable
                && backups::is_due(&house, timetable)
            {
                let _ = backups::back_up(&house, timetable);
            }
        })
        .await;
    }
}

/// Puts in and sends mails.
async fn mail(house: Arc<Installation>) {
    let mut beat = tokio::time::interval(MAIL_BEAT);
    loop {
        beat.tick().await;
        let house = Arc::clone(&house);
        // What can't be looked through or sent now is at the next beat; the administrator's page says why.
        let _ = tokio::task::spawn_blocking(move || {
            house.post.as_ref().map(|post| post.gather(&house).and_then(|()| post.deliver(house.now())))
        })
        .await;
    }
}

async fn handle(
    State(shell): State<Shell>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: axum::extract::Request,
) -> Response {
    let reply = match read(&shell, peer.ip(), request).await {
        Ok(request) => {
            let Some(turn) = shell.queues.turn(&request).await else {
                return write(plain(503, "closing"));
            };
            let house = Arc::clone(&shell.house);
            let work = move || {
                let reply = gate::answer(&house, request);
                drop(turn);
                reply
            };
            tokio::task::spawn_blocking(work)
                .await
                .unwrap_or_else(|_| plain(500, "this page could not be made; nothing was changed"))
        }
        Err(reply) => reply,
    };
    write(reply)
}

/// Reads a request within bounds, or says what is wrong with it.
async fn read(shell: &Shell, peer: IpAddr, request: axum::extract::Request) -> Result<Request, Reply> {
    let (parts, body) = request.into_parts();
    let method = match parts.method.as_str() {
        "GET" | "HEAD" => Method::Get,
        "POST" => Method::Post,
        _ => return Err(plain(405, "only GET and POST are answered")),
    };
    let header =
        |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let cookies = cookies(&parts.headers);
    let (form, upload) = if method == Method::Post {
        let kind = header(header::CONTENT_TYPE).unwrap_or_default();
        let (kind, parameters) = kind.split_once(';').unwrap_or((&kind, ""));
        match kind.trim() {
            "application/x-www-form-urlencoded" => (Fields::parse(&whole(body, BODY_BYTES_MAX).await?), None),
            // Files come to one route, from somebody who is logged in.
            "multipart/form-data" if takes_file(shell, parts.uri.path(), &cookies) => {
                let Ok(_permit) = Arc::clone(&shell.uploads).acquire_owned().await else {
                    return Err(plain(503, "closing"));
                };
                let bytes = whole(body, UPLOAD_BYTES_MAX).await?;
                let boundary =
                    parameters.trim().strip_prefix("boundary=").unwrap_or_default().trim_matches('"');
                parse_multipart(&bytes, boundary).ok_or_else(|| plain(400, "the form can't be read"))?
            }
            _ => return Err(plain(415, "forms are sent as application/x-www-form-urlencoded")),
        }
    } else {
        (Fields::default(), None)
    };
    let forwarded =
        || header(HeaderName::from_static("x-forwarded-for"))?.rsplit(',').next()?.trim().parse().ok();
    let address = if shell.behind_proxy && peer.is_loopback() { forwarded().unwrap_or(peer) } else { peer };
    Ok(Request {
        method,
        path: parts.uri.path().to_owned(),
        params: BTreeMap::new(),
        query: Fields::parse(parts.uri.query().unwrap_or_default().as_bytes()),
        form,
        upload,
        cookies,
        origin: header(header::ORIGIN),
        host: header(header::HOST),
        fetch_site: header(HeaderName::from_static("sec-fetch-site")),
        partial: parts.headers.contains_key("hx-request"),
        languages: header(header::ACCEPT_LANGUAGE).unwrap_or_default(),
        address,
        nonce: hex(&draw::<16>()),
    })
}

/// Reads a body within bounds of length and time.
async fn whole(body: Body, most: usize) -> Result<axum::body::Bytes, Reply> {
    match tokio::time::timeout(BODY_WAIT, to_bytes(body, most)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(plain(413, "the form is too large, or was cut off")),
        Err(_) => Err(plain(408, "the form took too long to arrive")),
    }
}

/// Says whether a form may bring a file: to the route that takes them, in a live session.
fn takes_file(shell: &Shell, path: &str, cookies: &BTreeMap<String, String>) -> bool {
    let route = routes::find(Method::Post, path);
    let takes = matches!(route, Some(Ok((route, _))) if route.path == routes::FILES);
    let session = cookies.get(gate::SESSION_COOKIE);
    takes && session.is_some_and(|token| shell.house.sessions.touch(token, shell.house.now()).is_some())
}

fn cookies(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn plain(status: u16, text: &str) -> Reply {
    Reply::of(status, "text/plain; charset=utf-8", format!("{text}\n").into_bytes())
        .with("cache-control", "no-store".to_owned())
}

fn write(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    // With those that are written with every answer.
    headers.reserve(reply.headers.len() + 4);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    response
}
