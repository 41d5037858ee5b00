//! The network between this program and the provider: HTTPS with the system's or the institution's own certificates, within bounds of time and size.
//!
//! Where the provider is on this machine (for a trial of the set-up, and in tests) plain HTTP will do, to this machine alone.

use std::{path::Path, time::Duration};

use openidconnect::{HttpRequest, HttpResponse, http::Response, url::Url};
use ureq::{
    Agent,
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

use super::{Fetch, NotReached, is_on_this_machine};

/// An answer is waited for so long.
pub const WAIT: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// Where Debian, Ubuntu and others keep the certificates that the system trusts.
const SYSTEM_CERTIFICATES: [&str; 2] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// Makes what asks the provider with this issuer. `certificates`: a file with the certificates to trust, instead of the system's.
/// `wait`: how long an answer may take, from the first packet to the last.
///
/// # Errors
/// The file can't be read, or holds none.
pub fn over_network(issuer: &str, certificates: Option<&Path>, wait: Duration) -> Result<Fetch, String> {
    let here = Url::parse(issuer).is_ok_and(|url| is_on_this_machine(&url));
    let config =
        Agent::config_builder().timeout_global(Some(wait)).max_redirects(0).http_status_as_error(false);
    let config = if here {
        config.proxy(None)
    } else {
        let trusted = RootCerts::new_with_certs(&trusted(certificates)?);
        config.tls_config(TlsConfig::builder().root_certs(trusted).build())
    };
    let agent: Agent = config.build().into();
    Ok(Box::new(move |request: HttpRequest| ask(&agent, here, request)))
}

fn trusted(certificates: Option<&Path>) -> Result<Vec<Certificate<'static>>, String> {
    let path = match certificates {
        Some(path) => path,
        None => SYSTEM_CERTIFICATES
            .iter()
            .map(Path::new)
            .find(|path| path.exists())
            .ok_or("this system has no certificates to trust; install ca-certificates or name a file")?,
    };
    let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let trusted: Vec<_> = parse_pem(&text)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if trusted.is_empty() { Err(format!("{} holds no certificate", path.display())) } else { Ok(trusted) }
}

/// Asks within bounds. The provider's description names the other addresses, so each is looked at.
fn ask(agent: &Agent, here: bool, request: HttpRequest) -> Result<HttpResponse, NotReached> {
    let unreached = |error: ureq::Error| NotReached(error.to_string());
    let to = request.uri().to_string();
    let secure = Url::parse(&to).is_ok_and(|url| url.scheme() == "https" || here && is_on_this_machine(&url));
    if !secure {
        return Err(NotReached("the provider names an address that is not https".to_owned()));
    }
    let (head, mut body) = agent.run(request).map_err(unreached)?.into_parts();
    let body = body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec().map_err(unreached)?;
    Ok(Response::from_parts(head, body))
}
