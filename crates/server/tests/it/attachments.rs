//! Files attached to forms: who brings and reads them, what is refused, and that an altered one is noticed.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

use server::gate::SESSION_COOKIE;
use store::{
    backup::{self, BackupKey},
    files::{Files, Held},
};

use crate::world::{World, text};

const SCAN: &[u8] = b"%PDF-1.7\n1 0 obj\x00\xff scan of the source";
const STUDY: &str = "imatinib-controlled";

fn header<'r>(reply: &'r server::http::Reply, name: &str) -> &'r str {
    reply.headers.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.as_str())
}

#[test]
// Shows: A11-7.2, P11-10a-2
fn a_file_is_brought_read_withdrawn_backed_up_and_missed_when_it_is_altered() {
    let world = World::training_of(&[STUDY], 6);
    let (subject, site) = world.participant_on_treatment(STUDY);
    let form = format!("/studies/{STUDY}/participants/{subject}/forms/vital_signs/Scr/0");
    let files = format!("{form}/files");
    let mut coordinator = world.seated(&format!("coordinator.{site}"));
    assert!(text(&coordinator.get(&form)).contains("multipart/form-data"));
    for (name, content) in
        [("page.pdf", &b"<html><script>alert(1)</script>"[..]), ("run.exe", b"MZ\x90\x00\x03")]
    {
        let refused = coordinator.bring(&files, name, content);
        assert!(refused.status == 400 && text(&refused).contains("no file that a form takes"), "{name}");
    }
    let refused = coordinator.bring(&files, "long.txt", &vec![b'a'; 5 * 1024 * 1024 + 1]);
    assert!(refused.status == 400 && text(&refused).contains("too large"));
    assert_eq!(coordinator.post(&files, &[]).status, 400);
    let name = "bilan é \"1\".pdf";
    let brought = coordinator.bring(&files, name, SCAN);
    assert_eq!(brought.status, 303, "{}", text(&brought));
    let twice = coordinator.bring(&files, "again.pdf", SCAN);
    assert!(twice.status == 409 && text(&twice).contains("file 1 of the form is the same"));
    let page = text(&coordinator.get(&form));
    assert!(page.contains("bilan é") && page.contains(&format!("{files}/1")), "{page}");
    let got = coordinator.get(&format!("{files}/1"));
    assert_eq!((got.status, got.content_type, got.body.as_slice()), (200, "application/pdf", SCAN));
    assert_eq!(
        header(&got, "content-disposition"),
        "attachment; filename=\"bilan _ _1_.pdf\"; filename*=UTF-8''bilan%20%C3%A9%20%221%22.pdf"
    );
    assert_eq!(header(&got, "x-content-type-options"), "nosniff");
    // With the reader's rights: a monitor reads the form, an assessor and another site do not know of it.
    let mut monitor = world.seated("monitor");
    assert_eq!(monitor.get(&format!("{files}/1")).body, SCAN);
    assert_eq!(monitor.bring(&files, "mine.pdf", b"%PDF-mine").status, 404);
    assert!(!text(&monitor.get(&form)).contains("multipart/form-data"));
    let other =
        world.house.studies[STUDY].study().sites.iter().find(|other| other.id != *site).unwrap().id.clone();
    let away = [format!("skin_assessor.{site}"), format!("coordinator.{other}"), "pathologist".to_owned()];
    for person in away {
        let mut away = world.seated(&person);
        assert_eq!(away.get(&format!("{files}/1")).status, 404, "{person}");
        assert_eq!(away.bring(&files, "mine.pdf", b"%PDF-mine").status, 404, "{person}");
    }
    world.house.flush_reads().unwrap();
    for none in ["0", "2", "x", "..%2f1"] {
        assert_eq!(coordinator.get(&format!("{files}/{none}")).status, 404, "{none}");
    }
    // Withdrawn with a reason, and still readable.
    coordinator.get(&form);
    assert_eq!(coordinator.post(&format!("{files}/1/withdraw"), &[]).status, 409);
    let page =
        text(&coordinator.send(&format!("{files}/1/withdraw"), &[("reason", "of another participant")]));
    assert!(page.contains("withdrawn 2031-05-20"), "{page}");
    assert_eq!(coordinator.get(&format!("{files}/1")).body, SCAN);
    // Backed up, restored, recomputed.
    let record = world.house.folder().join("studies").join(STUDY).join("record");
    assert_eq!(store::verify(&record, None).unwrap().first_fault, None);
    let elsewhere = tempfile::tempdir().unwrap();
    let key = BackupKey::from_bytes([7; 32]);
    let back_up = |name: &str| {
        let to = elsewhere.path().join(name);
        backup::make(world.house.folder(), &to, &key, [1; 19], world.house.now(), "test").unwrap();
        backup::restore(&to, &key, &elsewhere.path().join(format!("{name}-restored")))
    };
    back_up("whole").unwrap();
    let kept: Vec<_> =
        std::fs::read_dir(record.join("files")).unwrap().map(|file| file.unwrap().path()).collect();
    let [kept] = kept.as_slice() else { panic!("{kept:?}") };
    // What lies on the disk can't be read and says nothing; with the restored record it opens.
    let held = std::fs::read(kept).unwrap();
    assert!(!held.windows(8).any(|window| SCAN.windows(8).any(|part| part == window)));
    let file = {
        let state = world.house.studies[STUDY].state();
        let mut files = state.casebook(&subject).unwrap().files.values().flatten();
        files.next().unwrap().file.clone().unwrap()
    };
    let digest = file.sha256.clone();
    assert!(!kept.to_string_lossy().contains(&digest));
    let restored = elsewhere.path().join("whole-restored/studies").join(STUDY).join("record");
    assert_eq!(Files::of(&restored).read(&file).unwrap(), Held::Whole(SCAN.to_vec()));
    // An altered file is named, not given out, and no good backup.
    std::fs::write(kept, b"%PDF-1.7 another").unwrap();
    let fault = store::verify(&record, None).unwrap().first_fault.unwrap().to_string();
    assert!(fault.contains(&digest) && fault.contains("was altered"), "{fault}");
    let refused = coordinator.get(&format!("{files}/1"));
    assert!(refused.status == 503 && text(&refused).contains("not given out"));
    assert!(back_up("altered").unwrap_err().to_string().contains(&digest));
    std::fs::remove_file(kept).unwrap();
    let fault = store::verify(&record, None).unwrap().first_fault.unwrap().to_string();
    assert!(fault.contains(&digest) && fault.contains("is missing"), "{fault}");
}

/// Sends a form with a file over the network and returns the first line of the answer.
fn send(address: SocketAddr, path: &str, cookie: &str, token: &str, content: &[u8]) -> String {
    let mut body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"form-token\"\r\n\r\n{token}\r\n--b\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--b--\r\n");
    send_raw(address, path, cookie, "multipart/form-data; boundary=b", &body)
}

/// Sends a body of some kind over the network and returns the first line of the answer.
fn send_raw(address: SocketAddr, path: &str, cookie: &str, kind: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: equipoise.test\r\nCookie: {cookie}\r\nConnection: close\r\n\
         Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The server may answer and close before it has read all of what is too large.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

#[test]
// Shows: P11-10h
fn a_file_comes_over_the_network_to_its_route_and_from_a_live_session_alone() {
    let world = World::training_of(&[STUDY], 6);
    let (subject, site) = world.participant_on_treatment(STUDY);
    let form = format!("/studies/{STUDY}/participants/{subject}/forms/vital_signs/Scr/0");
    let coordinator = world.seated(&format!("coordinator.{site}"));
    let cookie = format!("{SESSION_COOKIE}={}", coordinator.cookies[SESSION_COOKIE]);
    let token = coordinator.token.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let World { house, .. } = world;
    let house = Arc::new(house);
    runtime.spawn(server::shell::serve(Arc::clone(&house), listener, false, std::future::pending()));
    let files = format!("{form}/files");
    assert!(send(address, &files, "", &token, SCAN).contains(" 415 "));
    assert!(send(address, &form, &cookie, &token, SCAN).contains(" 415 "));
    assert!(send(address, &files, &cookie, "another", SCAN).contains(" 400 "));
    let large = send(address, &files, &cookie, &token, &vec![b'a'; 6 << 20]);
    assert!(large.is_empty() || large.contains(" 413 "), "{large}");
    // Forms with files that no page sends: cut off, without a boundary, of parts without end, with heads that lie.
    let part = format!("--b\r\nContent-Disposition: form-data; name=\"form-token\"\r\n\r\n{token}\r\n");
    let bodies: [(&str, Vec<u8>); 9] = [
        ("multipart/form-data; boundary=b", Vec::new()),
        ("multipart/form-data; boundary=b", part.clone().into_bytes()),
        ("multipart/form-data", format!("{part}--b--\r\n").into_bytes()),
        ("multipart/form-data; boundary=", format!("{part}--b--\r\n").into_bytes()),
        ("multipart/form-data; boundary=\"", vec![b'-'; 100_000]),
        ("multipart/form-data; boundary=b", format!("{}--b--\r\n", part.repeat(20_000)).into_bytes()),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\n\r\n--b--".to_vec()),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\nx\r\n--b--".to_vec(),
        ),
        ("multipart/mixed; boundary=b", format!("{part}--b--\r\n").into_bytes()),
    ];
    for (kind, body) in &bodies {
        let answer = send_raw(address, &files, &cookie, kind, body);
        assert!(answer.contains(" 400 ") || answer.contains(" 415 "), "{kind}: {answer}");
    }
    assert!(send(address, &files, &cookie, &token, SCAN).contains(" 303 "));
    let state = house.studies[STUDY].state();
    assert_eq!(state.casebook(&subject).unwrap().files.values().flatten().count(), 1);
}
