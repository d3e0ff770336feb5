//! The parent's small ports: heartbeat, configuration, the admin socket; and what keeps it from starting.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod house;

use std::time::{SystemTime, UNIX_EPOCH};

use house::{CONFIGURATION, House, settings};
use r3e_parent::{ADMIN_SOCKET, Parent, ParentError, Settings, StatusError, StatusFormat, query_status};
use r3e_proto::host::{CONFIGURATION_PORT, HEARTBEAT, HEARTBEAT_PORT};
use r3e_proto::limits::MAX_CONFIGURATION_BYTES;
use r3e_transport::frame::{FrameError, read_frame};
use r3e_transport::{Endpoint, TransportError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

#[tokio::test]
async fn the_heartbeat_is_echoed_and_recorded() {
    let house = House::start(|_| {}).await;
    assert_eq!(house.count("heartbeat", "last_unix_seconds").await, 0);
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for beats in 1..=3 {
        let mut enclave = house.enclave.dial_parent(HEARTBEAT_PORT).await.unwrap();
        enclave.write_u8(HEARTBEAT).await.unwrap();
        let mut answer = Vec::new();
        enclave.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, [HEARTBEAT]);
        assert_eq!(house.count("heartbeat", "beats").await, beats);
    }
    assert!(house.count("heartbeat", "last_unix_seconds").await >= before);

    let mut other = house.enclave.dial_parent(HEARTBEAT_PORT).await.unwrap();
    other.write_u8(HEARTBEAT ^ 1).await.unwrap();
    let mut answer = Vec::new();
    other.read_to_end(&mut answer).await.unwrap();
    assert!(answer.is_empty());
    assert_eq!(house.count("heartbeat", "beats").await, 3);
}

#[tokio::test]
async fn the_heartbeat_is_left_to_others_where_they_answer_it() {
    let house = House::start(|settings| settings.heartbeat = false).await;
    assert!(matches!(house.enclave.dial_parent(HEARTBEAT_PORT).await, Err(TransportError::Dial { .. })));
    let on = |endpoint: &str| {
        let listen = "127.0.0.1:0".parse().unwrap();
        Settings::new(listen, endpoint.parse().unwrap(), "data".into(), "configuration".into()).heartbeat
    };
    assert!(on("unix:/run/enclave.sock"));
    assert!(!on("vsock:16"));
}

#[tokio::test]
async fn the_configuration_is_what_the_file_held_at_the_start() {
    let house = House::start(|_| {}).await;
    std::fs::write(house.folder.path().join("configuration"), "changed").unwrap();
    for _ in 0..2 {
        let mut enclave = house.enclave.dial_parent(CONFIGURATION_PORT).await.unwrap();
        assert_eq!(read_frame(&mut enclave, MAX_CONFIGURATION_BYTES).await.unwrap(), CONFIGURATION);
        assert!(matches!(read_frame(&mut enclave, 1).await, Err(FrameError::Closed)));
    }
    house.wait_for("configuration", "served", 2).await;
}

#[tokio::test]
async fn a_configuration_that_no_enclave_takes_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    std::fs::write(&settings.configuration, "").unwrap();
    assert!(matches!(Parent::start(settings.clone()).await, Err(ParentError::ConfigurationSize { .. })));
    std::fs::write(&settings.configuration, vec![b'x'; MAX_CONFIGURATION_BYTES + 1]).unwrap();
    assert!(matches!(Parent::start(settings.clone()).await, Err(ParentError::ConfigurationSize { .. })));
    std::fs::remove_file(&settings.configuration).unwrap();
    assert!(matches!(Parent::start(settings.clone()).await, Err(ParentError::Configuration { .. })));
    std::fs::write(&settings.configuration, vec![b'x'; MAX_CONFIGURATION_BYTES]).unwrap();
    Parent::start(settings).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn one_folder_and_one_address_serve_one_parent() {
    let house = House::start(|_| {}).await;
    let mut second = settings(house.folder.path());
    assert!(matches!(Parent::start(second.clone()).await, Err(ParentError::Held { .. })));

    second.data = house.folder.path().join("other");
    let in_use = Parent::start(second.clone()).await;
    assert!(matches!(in_use, Err(ParentError::Transport(TransportError::InUse { .. }))), "{in_use:?}");

    second.enclave = Endpoint::Unix { path: house.folder.path().join("other.sock") };
    second.listen = house.parent.local_addr();
    assert!(matches!(Parent::start(second.clone()).await, Err(ParentError::Listen { .. })));

    // What was refused holds nothing, and what was stopped leaves nothing behind.
    let address = house.parent.local_addr();
    house.parent.shutdown().await;
    let mut again = settings(house.folder.path());
    again.listen = address;
    let again = Parent::start(again).await.unwrap();
    let other = Parent::start(settings_at(second, "127.0.0.1:0")).await.unwrap();
    again.shutdown().await;
    other.shutdown().await;
}

fn settings_at(mut settings: Settings, listen: &str) -> Settings {
    settings.listen = listen.parse().unwrap();
    settings
}

#[tokio::test]
async fn the_status_has_two_forms_of_the_same_numbers() {
    let house = House::start(|_| {}).await;
    let json = query_status(&house.data(), StatusFormat::Json).await.unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    let text = query_status(&house.data(), StatusFormat::Prometheus).await.unwrap();
    let mut numbers = 0;
    assert_eq!(json["serving"], false, "no enclave listens: {json:#}");
    let words = ["version", "serving", "findings", "enclave", "upgrading", "store"];
    for (group, metrics) in
        json.as_object().unwrap().iter().filter(|(group, _)| !words.contains(&group.as_str()))
    {
        for name in metrics.as_object().unwrap().keys() {
            let metric = format!("r3e_parent_{group}_{name}");
            let kind = text.lines().find_map(|line| line.strip_prefix(&format!("# TYPE {metric}"))).unwrap();
            let sample =
                if kind.ends_with("counter") { format!("{metric}_total ") } else { format!("{metric} ") };
            let value = text.lines().find_map(|line| line.strip_prefix(&sample)).unwrap();
            value.parse::<u64>().unwrap();
            numbers += 1;
        }
    }
    assert!(numbers > 20);
    assert_eq!(text.lines().count(), numbers * 3);

    let nobody = query_status(house.folder.path(), StatusFormat::Json).await;
    assert!(matches!(nobody, Err(StatusError::Connect { .. })));
}

#[tokio::test]
async fn odd_admin_requests_get_an_answer_or_nothing_and_harm_nobody() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::start(|_| {}).await;
    let socket = house.data().join(ADMIN_SOCKET);
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(house.data()).unwrap().permissions().mode() & 0o777, 0o700);
    let long = vec![b'a'; 100_000];
    for (request, answered) in [
        (&b"POST /status HTTP/1.1\r\n\r\n"[..], true),
        (b"GET /elsewhere HTTP/1.1\r\n\r\n", true),
        (b"GET\r\n\r\n", true),
        (b"\r\n\r\n", true),
        (b"\xff\xfe\0\r\n\r\n", true),
        (b"GET /status HTTP/1.1\r\n", false),
        (b"", false),
        (&long, false),
    ] {
        let mut stream = UnixStream::connect(&socket).await.unwrap();
        let _ = stream.write_all(request).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert_eq!(answer.starts_with(b"HTTP/1.1 404 "), answered, "{:?}", &request[..request.len().min(40)]);
        assert_eq!(answer.is_empty(), !answered);
    }
    query_status(&house.data(), StatusFormat::Json).await.unwrap();
}
