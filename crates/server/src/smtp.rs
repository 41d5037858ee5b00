//! Hands a mail to a relay (RFC 5321), without encryption or log-in: the relay is this machine's own mail system or one in the
//! same closed network, and knows how to go on from there.
//!
//! What is written is plain ASCII that this program composed, so there is nothing to encode.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

/// How long an answer of the relay is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest line that a relay may answer with (RFC 5321, 4.5.3.1.5, and room to spare).
const LINE_BYTES_MAX: u64 = 4096;

/// Why a mail was not handed over.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// The connection failed.
    #[error("the mail relay can't be reached: {0}")]
    Connection(#[from] io::Error),
    /// The relay said no.
    #[error("the mail relay refused {step}: {answer}")]
    Refused {
        /// What it refused.
        step: &'static str,
        /// What it said.
        answer: String,
    },
    /// An address that no mail can go to.
    #[error("`{address}` is no address")]
    NoAddress {
        /// The address.
        address: String,
    },
}

/// A mail as it goes out.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// From.
    pub from: &'a str,
    /// To.
    pub to: &'a str,
    /// The subject, in ASCII.
    pub subject: &'a str,
    /// The date as RFC 5322 writes it.
    pub date: &'a str,
    /// What tells this mail from all others.
    pub id: &'a str,
    /// The text, in ASCII.
    pub text: &'a str,
}

/// Says whether a text can stand as an address in a dialogue with a relay.
pub fn is_address(text: &str) -> bool {
    let sound = |letter: char| letter.is_ascii_graphic() && !"<>,;:\\\"()[]".contains(letter);
    let parts = text.split_once('@');
    parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'))
        && text.len() <= 254
        && text.chars().all(sound)
}

/// Hands a letter to the relay at `host:port`. When this returns, the relay has taken it over.
///
/// # Errors
/// The relay can't be reached or refuses, or an address is none.
pub fn send(relay: &str, letter: &Letter<'_>) -> Result<(), SmtpError> {
    for address in [letter.from, letter.to] {
        if !is_address(address) {
            return Err(SmtpError::NoAddress { address: address.to_owned() });
        }
    }
    let peer = relay.to_socket_addrs()?.next();
    let peer = peer.ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))?;
    let stream = TcpStream::connect_timeout(&peer, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut dialogue = Dialogue { stream: BufReader::new(stream) };
    dialogue.answer("the connection", 220)?;
    let domain = letter.from.split('@').nth(1).unwrap_or("localhost");
    dialogue.say("the greeting", &format!("EHLO {domain}"), 250)?;
    dialogue.say("the sender", &format!("MAIL FROM:<{}>", letter.from), 250)?;
    dialogue.say("the recipient", &format!("RCPT TO:<{}>", letter.to), 250)?;
    dialogue.say("a mail", "DATA", 354)?;
    dialogue.say("the mail", &written(letter), 250)?;
    // The mail is the relay's by now, whatever it answers to the farewell.
    let _ = dialogue.say("the farewell", "QUIT", 221);
    Ok(())
}

/// Writes headers and text, with dots doubled at the beginning of lines, up to the final dot.
fn written(letter: &Letter<'_>) -> String {
    let Letter { from, to, subject, date, id, text } = letter;
    let mut mail = format!(
        "From: Equipoise <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nDate: {date}\r\nMessage-ID: <{id}>\r\n\
         Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
    );
    for line in text.lines() {
        if line.starts_with('.') {
            mail.push('.');
        }
        mail.push_str(line);
        mail.push_str("\r\n");
    }
    mail.push('.');
    mail
}

struct Dialogue {
    stream: BufReader<TcpStream>,
}

impl Dialogue {
    fn say(&mut self, step: &'static str, text: &str, wanted: u16) -> Result<(), SmtpError> {
        let out = self.stream.get_mut();
        out.write_all(text.as_bytes())?;
        out.write_all(b"\r\n")?;
        self.answer(step, wanted)
    }

    /// Reads an answer of one line or several (`250-` before the last).
    fn answer(&mut self, step: &'static str, wanted: u16) -> Result<(), SmtpError> {
        loop {
            let mut line = String::new();
            let read = io::Read::take(&mut self.stream, LINE_BYTES_MAX).read_line(&mut line)?;
            if read == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            if line.as_bytes().get(3) == Some(&b'-') {
                continue;
            }
            if line.get(..3).and_then(|code| code.parse().ok()) == Some(wanted) {
                return Ok(());
            }
            return Err(SmtpError::Refused { step, answer: line.trim_end().to_owned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_stand_in_the_dialogue_is_an_address() {
        for address in ["anna@example.org", "a.b+c@mail.example.org"] {
            assert!(is_address(address), "{address}");
        }
        for none in [
            "",
            "anna",
            "@example.org",
            "anna@",
            "a@b@c",
            "a b@c.de",
            "a@c.de>\r\nDATA",
            "a@c.de\r\n",
            "ä@c.de",
        ] {
            assert!(!is_address(none), "{none}");
        }
    }

    #[test]
    fn a_line_that_begins_with_a_dot_does_not_end_the_mail() {
        let letter =
            Letter { from: "a@b.c", to: "d@e.f", subject: "s", date: "d", id: "i@b.c", text: "one\n.\ntwo" };
        assert!(written(&letter).ends_with("\r\n\r\none\r\n..\r\ntwo\r\n."));
    }
}
