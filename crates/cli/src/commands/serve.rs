//! `equipoise serve`: the pages in which a trial is run.

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use jiff::SignedDuration;
use record::Environment;
use server::{
    Installation,
    backups::Timetable,
    credentials::draw_readable,
    post::{Post, Postman},
    training,
};
use terms::{Date, Timestamp};

use super::backup::key_of;
use crate::{Outcome, shipped, terminal::say};

/// Months before today at which the trials of a training copy opened.
const TRAINING_MONTHS: i32 = 14;

/// What `serve` takes.
#[derive(Args)]
pub struct Arguments {
    /// The folder of the installation: accounts, studies, records
    #[arg(long, value_name = "DIR", required_unless_present = "demo")]
    data: Option<PathBuf>,
    /// Where to listen; put a proxy with TLS before it for other machines
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Begin with a training copy of both shipped studies, virtual participants and a ready account for each role
    #[arg(long)]
    demo: bool,
    /// The seed of the training copy's random streams
    #[arg(long, value_name = "N", default_value_t = 1, requires = "demo")]
    seed: u64,
    /// A training copy: participants are virtual, and a banner says so on every page
    #[arg(long)]
    training: bool,
    /// A study's folder to add to the installation
    #[arg(long, value_name = "FOLDER")]
    study: Vec<PathBuf>,
    /// Back up into this folder by a timetable; every backup is restored at once to see that it is good
    #[arg(long, value_name = "DIR")]
    backup_to: Option<PathBuf>,
    /// Hours from one backup to the next
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..))]
    backup_every: u32,
    /// Backups that are kept
    #[arg(long, value_name = "N", default_value_t = 14)]
    backups_kept: usize,
    /// The file of the backups' key; without it DIR/backup.key, which is drawn at the first start
    #[arg(long, value_name = "FILE")]
    backup_key: Option<PathBuf>,
    /// Send mails (a serious event, a broken blind, an overdue query, an invitation) through this relay
    #[arg(long, value_name = "HOST:PORT", requires_all = ["mail_from", "pages_at"])]
    mail_relay: Option<String>,
    /// The address that mails come from
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// The address of the pages as people reach them, for passkeys, single sign-on and links in mails: https://trial.example.org
    #[arg(long, value_name = "URL")]
    pages_at: Option<String>,
    #[cfg(feature = "single-sign-on")]
    #[command(flatten)]
    sign_on: SignOn,
    /// Browsers reach the server by https, through a proxy: cookies travel by TLS alone
    #[arg(long)]
    https: bool,
    /// A proxy on this machine stands before the server, and its X-Forwarded-For names the browser's address
    #[arg(long)]
    behind_proxy: bool,
}

/// The variable of the environment with the secret that the provider of single sign-on gave.
#[cfg(feature = "single-sign-on")]
const SIGN_ON_SECRET: &str = "EQUIPOISE_SIGN_ON_SECRET";

/// Single sign-on at an institution's provider.
#[cfg(feature = "single-sign-on")]
#[derive(Args)]
struct SignOn {
    /// People log in at this provider of OpenID Connect, named by its address (the issuer)
    #[arg(long, value_name = "URL", requires_all = ["sign_on_client", "pages_at"])]
    sign_on_issuer: Option<String>,
    /// The name (client id) that the provider gave this server
    #[arg(long, value_name = "ID", requires = "sign_on_issuer")]
    sign_on_client: Option<String>,
    /// The file with the secret that the provider gave this server; without it the secret is read from the environment, EQUIPOISE_SIGN_ON_SECRET
    #[arg(long, value_name = "FILE", requires = "sign_on_issuer")]
    sign_on_secret: Option<PathBuf>,
    /// What the log-in page calls the provider: the institution's name
    #[arg(long, value_name = "NAME", default_value = "OpenID Connect", requires = "sign_on_issuer")]
    sign_on_name: String,
    /// Certificates to trust when the provider is asked (PEM), instead of the system's
    #[arg(long, value_name = "FILE", requires = "sign_on_issuer")]
    sign_on_certificates: Option<PathBuf>,
}

#[cfg(feature = "single-sign-on")]
impl SignOn {
    fn open(&self, pages: Option<&str>) -> Result<Option<server::single_sign_on::SingleSignOn>> {
        use server::single_sign_on::{
            Provider, SingleSignOn,
            fetch::{WAIT, over_network},
        };
        let (Some(issuer), Some(client), Some(pages)) = (&self.sign_on_issuer, &self.sign_on_client, pages)
        else {
            return Ok(None);
        };
        let provider = Provider {
            name: self.sign_on_name.clone(),
            issuer: issuer.clone(),
            client: client.clone(),
            secret: self.secret()?,
            pages: pages.to_owned(),
        };
        let fetch = over_network(issuer, self.sign_on_certificates.as_deref(), WAIT);
        let opened = fetch.and_then(|fetch| SingleSignOn::with(provider, fetch));
        opened.map(Some).map_err(|why| anyhow::anyhow!("single sign-on: {why}"))
    }

    /// Returns the secret that the provider gave. Never an argument: everybody on the machine can list those.
    #[expect(clippy::disallowed_methods, reason = "the command line is an edge: it reads the environment")]
    fn secret(&self) -> Result<String> {
        let secret = match &self.sign_on_secret {
            Some(file) => {
                fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?
            }
            None => std::env::var(SIGN_ON_SECRET).unwrap_or_default(),
        };
        let secret = secret.trim();
        anyhow::ensure!(
            !secret.is_empty(),
            "the provider's secret is missing: name its file with --sign-on-secret, or set {SIGN_ON_SECRET}"
        );
        Ok(secret.to_owned())
    }
}

/// Runs the server until it is told to stop.
///
/// # Errors
/// The installation can't be opened, or the address is taken.
#[expect(clippy::disallowed_methods, reason = "the server is an edge: it reads the clock")]
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let now = Timestamp::now();
    let environment =
        if arguments.demo || arguments.training { Environment::Rehearsal } else { Environment::Live };
    let fleeting = if arguments.data.is_none() { Some(tempfile::tempdir()?) } else { None };
    let folder = match (&arguments.data, &fleeting) {
        (Some(folder), _) => folder.clone(),
        (None, Some(fleeting)) => fleeting.path().to_owned(),
        (None, None) => bail!("name the installation's folder with --data"),
    };
    let studies = folder.join("studies");
    fs::create_dir_all(&studies).with_context(|| format!("{} can't be made", studies.display()))?;
    for study in &arguments.study {
        add_study(study, &studies)?;
    }
    if arguments.demo && fs::read_dir(&studies)?.next().is_none() {
        let today: Date = now.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
        say!("Preparing a training copy of both studies …");
        for (id, files) in shipped::studies() {
            let opened = training::opened_before(today, TRAINING_MONTHS);
            training::make(&studies, &files, arguments.seed, opened, today)
                .with_context(|| format!("study {id}"))?;
        }
    }
    let (mut house, token) = Installation::open(&folder, environment, Box::new(Timestamp::now))?;
    house.secure = arguments.https;
    house.manual = crate::manual::PAGES;
    house.manual_digest = crate::manual::digest();
    if let (Some(relay), Some(from), Some(pages)) =
        (&arguments.mail_relay, &arguments.mail_from, &arguments.pages_at)
    {
        anyhow::ensure!(server::smtp::is_address(from), "--mail-from {from} is no address");
        let pages = pages.trim_end_matches('/').to_owned();
        house.post = Some(Post::open(&folder, Postman { relay: relay.clone(), from: from.clone(), pages })?);
    }
    #[cfg(feature = "single-sign-on")]
    {
        house.single_sign_on = arguments.sign_on.open(arguments.pages_at.as_deref())?;
    }
    if let Some(to) = &arguments.backup_to {
        let (key, path, new) = key_of(&folder, arguments.backup_key.as_deref())?;
        if new {
            say!(
                "Drew a key for backups: {}. Keep a copy elsewhere; without it no backup opens.",
                path.display()
            );
        }
        house.timetable = Some(Timetable {
            to: to.clone(),
            every: SignedDuration::from_hours(arguments.backup_every.into()),
            kept: arguments.backups_kept,
            key,
            at_work: Mutex::default(),
        });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind(arguments.listen))
        .with_context(|| format!("{} can't be listened on", arguments.listen))?;
    let scheme = if arguments.https { "https" } else { "http" };
    let address = listener.local_addr()?;
    #[cfg(feature = "passkeys")]
    {
        // Passkeys belong to a host name. On this machine alone that is its own name for itself.
        let own = address.ip().is_loopback().then(|| format!("http://localhost:{}", address.port()));
        let pages = arguments.pages_at.clone().or_else(|| own.filter(|_| !arguments.https));
        house.passkeys = pages.and_then(|pages| match server::passkeys::Passkeys::at(&pages) {
            Ok(passkeys) => Some(passkeys),
            Err(why) => {
                say!("{why}");
                None
            }
        });
    }
    if arguments.demo {
        let password = draw_readable(4);
        house.make_ready_accounts(&password)?;
        say!("Open {scheme}://{address} and log in with one of these names. Password of all: {password}\n");
        for (role, name) in &house.ready_accounts {
            say!("  {name:<32} {role}");
        }
    } else if let Some(token) = token {
        say!("Open {scheme}://{address} and make the first administrator. Set-up token: {token}");
    } else {
        say!("Open {scheme}://{address}");
    }
    say!("\nStop with Ctrl-C.");
    let until = async {
        let _ = stopped().await;
    };
    runtime.block_on(server::shell::serve(Arc::new(house), listener, arguments.behind_proxy, until))?;
    Ok(Outcome::Success)
}

/// Waits for Ctrl-C or, where there is one, the signal by which a service is stopped.
async fn stopped() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminated.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// Copies a study's files into the installation, once it compiles.
fn add_study(from: &std::path::Path, studies: &std::path::Path) -> Result<()> {
    let study = server::installation::compile(from)?;
    let to = studies.join(study.id.as_str()).join("study");
    if to.exists() {
        bail!("the installation has the study {} already", study.id);
    }
    copy(from, &to).with_context(|| format!("{} can't be copied", from.display()))
}

fn copy(from: &std::path::Path, to: &std::path::Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
