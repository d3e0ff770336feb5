//! From one enclave to its successor, as far as the parent has a part in it: the enclaves are this test.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod house;

use std::path::{Path, PathBuf};
use std::time::Duration;

use house::machine::{FakeMachine, image};
use house::{BlobClient, CONFIGURATION, House, commit, is_closed};
use r3e_parent::upgrade::{Line, Order, Step};
use r3e_parent::{
    Appliance, Launch, RunningAppliance, Settings, StatusError, StatusFormat, order_upgrade, query_status,
};
use r3e_proto::host::blob::{Operation, Outcome};
use r3e_proto::host::lifecycle::{MAX_MESSAGE_BYTES, Reply, Request};
use r3e_proto::host::{CHANNEL_PORT, CONFIGURATION_PORT, LIFECYCLE_PORT};
use r3e_proto::limits::{MAX_CONFIGURATION_BYTES, MAX_MANIFEST_BYTES};
use r3e_transport::frame::{read_frame, write_frame};
use r3e_transport::{EnclaveTransport, Endpoint, Stream};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

/// Far longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(30);
const MANIFEST: &[u8] = b"a signed manifest, as far as the parent knows";

/// An enclave that answers each byte of a client's with its own letter.
async fn serve(enclave: &EnclaveTransport, letter: u8) -> JoinHandle<()> {
    let mut listener = enclave.listen(CHANNEL_PORT).await.unwrap();
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok(mut stream) = listener.accept().await {
            connections.spawn(async move {
                while stream.read_u8().await.is_ok() && stream.write_u8(letter).await.is_ok() {}
            });
        }
    })
}

/// Says something on the lifecycle port: the parent's answer, and the connection.
async fn say(enclave: &EnclaveTransport, request: Request) -> Option<(Reply, Stream)> {
    let mut stream = enclave.dial_parent(LIFECYCLE_PORT).await.ok()?;
    write_frame(&mut stream, &request.encode(), MAX_MESSAGE_BYTES).await.ok()?;
    let body = read_frame(&mut stream, MAX_MESSAGE_BYTES).await.ok()?;
    Some((Reply::decode(&body).unwrap(), stream))
}

/// The same, until the parent that makes the port hears it.
async fn say_until_heard(enclave: &EnclaveTransport, request: Request) -> (Reply, Stream) {
    let saying = async {
        loop {
            match say(enclave, request.clone()).await {
                Some(heard) => return heard,
                None => sleep(Duration::from_millis(10)).await,
            }
        }
    };
    timeout(LIMIT, saying).await.unwrap()
}

async fn answers(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin)) -> u8 {
    stream.write_u8(b'?').await.unwrap();
    stream.read_u8().await.unwrap()
}

/// An upgrade that was ordered: its lines as they come, and its end.
struct Ordered {
    lines: mpsc::UnboundedReceiver<Line>,
    ordering: JoinHandle<Result<Line, StatusError>>,
}

impl Ordered {
    fn begin(data: PathBuf, order: Order) -> Self {
        let (sender, lines) = mpsc::unbounded_channel();
        let ordering = tokio::spawn(async move {
            order_upgrade(&data, &order, &mut |line| drop(sender.send(line.clone()))).await
        });
        Self { lines, ordering }
    }

    /// Waits for a step.
    async fn reaches(&mut self, wanted: Step) -> String {
        loop {
            match timeout(LIMIT, self.lines.recv()).await.unwrap() {
                Some(Line::Step { step, words }) if step == wanted => return words,
                Some(Line::Step { .. }) => {}
                other => panic!("{wanted:?} was not reached: {other:?}"),
            }
        }
    }

    async fn ends(self) -> Line {
        timeout(LIMIT, self.ordering).await.unwrap().unwrap().unwrap()
    }

    /// The code, the words and what is left to do, of one that took over and does not serve.
    async fn took_over(self) -> (String, String, String) {
        match self.ends().await {
            Line::TookOver { code, words, next } => (code, words, next),
            other => panic!("{other:?}"),
        }
    }

    /// The code and the words of a failure.
    async fn fails(self) -> (String, String) {
        match self.ends().await {
            Line::Failed { code, words, .. } => (code, words),
            other => panic!("{other:?}"),
        }
    }
}

/// A parent whose enclave someone else starts, with a successor's files beside it.
struct Succession {
    house: House,
    second: EnclaveTransport,
    serving: JoinHandle<()>,
}

impl Succession {
    async fn begin() -> Self {
        let house = House::start(|settings| settings.forward.drain_timeout_ms = 300).await;
        std::fs::write(house.folder.path().join("manifest"), MANIFEST).unwrap();
        std::fs::write(house.folder.path().join("new-configuration"), "another").unwrap();
        let serving = serve(&house.enclave, b'1').await;
        let path = house.folder.path().join("second.sock");
        let second = EnclaveTransport::new(Endpoint::Unix { path });
        Self { house, second, serving }
    }

    fn order(&self) -> Order {
        let path = |name: &str| self.house.folder.path().join(name);
        Order {
            manifest: path("manifest"),
            enclave: Some(format!("unix:{}", path("second.sock").display())),
            configuration: Some(path("new-configuration")),
            ..Order::default()
        }
    }

    fn upgrade(&self, order: Order) -> Ordered {
        Ordered::begin(self.house.data(), order)
    }

    /// The upgrade, up to where the parent waits for the successor.
    async fn started(house: &House, order: Order) -> Ordered {
        let mut ordered = Ordered::begin(house.data(), order);
        ordered.reaches(Step::Started).await;
        ordered
    }

    async fn start_with(&self, change: impl FnOnce(&mut Order)) -> Ordered {
        let mut order = self.order();
        change(&mut order);
        Self::started(&self.house, order).await
    }

    /// The first enclave serves, and nothing is left of another.
    async fn is_as_it_was(&self) {
        let mut client = self.house.connect().await;
        assert_eq!(answers(&mut client).await, b'1');
        assert!(self.second.dial_parent(LIFECYCLE_PORT).await.is_err(), "a port is left open");
        assert!(matches!(say(&self.house.enclave, Request::Predecessor).await, Some((Reply::None, _))));
    }
}

#[tokio::test]
async fn without_an_upgrade_an_enclave_succeeds_nobody() {
    let house = House::start(|_| {}).await;
    for _ in 0..2 {
        let (reply, mut stream) = say(&house.enclave, Request::Predecessor).await.unwrap();
        assert_eq!(reply, Reply::None);
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0, "and nothing follows");
        assert!(matches!(say(&house.enclave, Request::Serving).await, Some((Reply::Noted, _))));
    }
    let mut strange = house.enclave.dial_parent(LIFECYCLE_PORT).await.unwrap();
    write_frame(&mut strange, b"what is this", MAX_MESSAGE_BYTES).await.unwrap();
    assert_eq!(strange.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn clients_go_over_to_the_successor_and_the_old_ones_end() {
    let it = Succession::begin().await;
    let order = it.order();
    let mut old_client = it.house.connect().await;
    assert_eq!(answers(&mut old_client).await, b'1');
    let head = commit(None, b"a head", vec![]);
    assert_eq!(BlobClient::dial(&it.house.enclave).await.ask(head).await, Outcome::Committed);

    let mut ordered = it.start_with(|_| {}).await;
    // It has ports of its own: its own configuration, the same records, and the way to the other.
    let mut asked = it.second.dial_parent(CONFIGURATION_PORT).await.unwrap();
    assert_eq!(read_frame(&mut asked, MAX_CONFIGURATION_BYTES).await.unwrap(), b"another");
    let found = BlobClient::dial(&it.second).await.ask(Operation::Head).await;
    assert_eq!(found, Outcome::Head(Some(b"a head".to_vec())));
    let (offered, mut to_first) = say(&it.second, Request::Predecessor).await.unwrap();
    assert_eq!(offered, Reply::Offered { manifest: MANIFEST.to_vec() });
    assert_eq!(answers(&mut to_first).await, b'1', "it speaks to the one that serves");
    ordered.reaches(Step::Introduced).await;
    // The one that serves is offered nobody, and has the configuration it had.
    assert!(matches!(say(&it.house.enclave, Request::Predecessor).await, Some((Reply::None, _))));
    let mut asked = it.house.enclave.dial_parent(CONFIGURATION_PORT).await.unwrap();
    assert_eq!(read_frame(&mut asked, MAX_CONFIGURATION_BYTES).await.unwrap(), CONFIGURATION);
    assert_eq!(answers(&mut it.house.connect().await).await, b'1', "until it serves, clients stay");

    let _second = serve(&it.second, b'2').await;
    let mut waiting = it.house.connect().await;
    assert!(matches!(say(&it.second, Request::Serving).await, Some((Reply::Noted, _))));
    // When that is noted, it is so: even a client that was there already, and had said nothing.
    assert_eq!(answers(&mut waiting).await, b'2');
    assert_eq!(answers(&mut it.house.connect().await).await, b'2');
    ordered.reaches(Step::Switched).await;
    assert_eq!(answers(&mut old_client).await, b'1', "an old connection may go on");
    assert_eq!(answers(&mut to_first).await, b'1', "and the two may still speak");
    let drained = ordered.reaches(Step::Drained).await;
    assert_eq!(drained, "2 old connections were cut");
    assert!(is_closed(&mut old_client).await);
    assert!(matches!(ordered.ends().await, Line::Done { .. }));

    assert!(it.house.enclave.dial_parent(LIFECYCLE_PORT).await.is_err(), "the old one's ports are closed");
    assert!(it.house.enclave.dial_parent(CONFIGURATION_PORT).await.is_err());
    assert!(
        matches!(say(&it.second, Request::Predecessor).await, Some((Reply::None, _))),
        "should it boot again"
    );
    assert_eq!(it.house.status().await["serving"], true);

    // And on to the next, at the place that is free now.
    it.serving.abort();
    assert!(it.serving.await.unwrap_err().is_cancelled());
    let _first = serve(&it.house.enclave, b'3').await;
    let first = it.house.folder.path().join("enclave.sock");
    let order = Order { enclave: Some(format!("unix:{}", first.display())), ..order };
    let mut next = Succession::started(&it.house, order).await;
    let (offered, mut to_second) = say(&it.house.enclave, Request::Predecessor).await.unwrap();
    assert!(matches!(offered, Reply::Offered { .. }));
    assert_eq!(answers(&mut to_second).await, b'2');
    drop(to_second);
    assert!(matches!(say(&it.house.enclave, Request::Serving).await, Some((Reply::Noted, _))));
    next.reaches(Step::Switched).await;
    assert!(matches!(next.ends().await, Line::Done { .. }));
    it.house.parent.shutdown().await;
}

#[tokio::test]
async fn a_successor_that_fails_says_why_and_changes_nothing() {
    let it = Succession::begin().await;
    let mut ordered = it.start_with(|_| {}).await;
    let (_, to_first) = say(&it.second, Request::Predecessor).await.unwrap();
    ordered.reaches(Step::Introduced).await;
    drop(to_first);
    let why = "release_not_approved: 1 of 2 \u{1b}[31msignatures".to_owned();
    assert!(matches!(say(&it.second, Request::Failed(why)).await, Some((Reply::Noted, _)) | None));
    let (code, words) = ordered.fails().await;
    assert_eq!(code, "successor_failed");
    assert_eq!(words, "the successor does not take over: release_not_approved: 1 of 2 ?[31msignatures");
    it.is_as_it_was().await;

    // One that is never heard of.
    let ordered = it.start_with(|order| order.timeout_ms = Some(100)).await;
    let (code, words) = ordered.fails().await;
    assert!(code == "successor_late" && words.contains("never asked"), "{code}: {words}");
    it.is_as_it_was().await;
}

#[tokio::test]
async fn one_upgrade_at_a_time_and_who_leaves_has_cancelled_it() {
    let it = Succession::begin().await;
    assert_eq!(it.house.status().await["upgrading"], false);
    let ordered = it.start_with(|_| {}).await;
    assert_eq!(it.house.status().await["upgrading"], true);
    match it.upgrade(it.order()).ordering.await.unwrap() {
        Err(StatusError::Refused(why)) => assert_eq!(why, "another upgrade is under way"),
        other => panic!("{other:?}"),
    }
    ordered.ordering.abort();
    let gone = async {
        while it.second.dial_parent(LIFECYCLE_PORT).await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, gone).await.unwrap();
    it.is_as_it_was().await;

    // A parent that stops does not leave it half done.
    let ordered = it.start_with(|_| {}).await;
    it.house.parent.shutdown().await;
    match ordered.ordering.await.unwrap() {
        Ok(Line::Failed { code, .. }) => assert_eq!(code, "parent_stopping"),
        // The connection may end before the last line.
        Err(StatusError::Connect { .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nobody_ends_a_successor_that_has_taken_the_state_over() {
    let it = Succession::begin().await;
    assert_eq!(
        BlobClient::dial(&it.house.enclave).await.ask(commit(None, b"one", vec![])).await,
        Outcome::Committed
    );
    // Whoever ordered it leaves: it goes on, and clients with it once it serves.
    let mut ordered = it.start_with(|_| {}).await;
    let (_, _to_first) = say(&it.second, Request::Predecessor).await.unwrap();
    let mut records = BlobClient::dial(&it.second).await;
    // What is refused, or is no commit, takes nothing over.
    assert_eq!(records.ask(commit(None, b"two", vec![])).await, Outcome::Conflict);
    let slot = Operation::SlotWrite { expected: None, value: b"slot".to_vec() };
    assert_eq!(records.ask(slot).await, Outcome::Committed);
    ordered.reaches(Step::Introduced).await;
    assert!(matches!(say(&it.second, Request::Predecessor).await, Some((Reply::Offered { .. }, _))));
    assert_eq!(records.ask(commit(Some(b"one"), b"two", vec![])).await, Outcome::Committed);
    // Should it boot again, it succeeds nobody any more, from that very moment.
    assert!(matches!(say(&it.second, Request::Predecessor).await, Some((Reply::None, _))));
    ordered.reaches(Step::TookOver).await;
    ordered.ordering.abort();
    assert!(ordered.ordering.await.unwrap_err().is_cancelled());
    sleep(Duration::from_millis(200)).await;
    assert_eq!(records.ask(commit(Some(b"two"), b"three", vec![])).await, Outcome::Committed);
    let second = serve(&it.second, b'2').await;
    assert!(matches!(say(&it.second, Request::Serving).await, Some((Reply::Noted, _))));
    assert_eq!(answers(&mut it.house.connect().await).await, b'2');
    let done = async {
        while it.house.status().await["upgrading"] == true {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, done).await.unwrap();
    second.abort();
    assert!(second.await.unwrap_err().is_cancelled());
    it.serving.abort();

    // Nor does the time that it takes: it is the appliance all the same.
    let first = format!("unix:{}", it.house.folder.path().join("enclave.sock").display());
    let ordered = it
        .start_with(|order| {
            order.enclave = Some(first);
            order.timeout_ms = Some(300);
        })
        .await;
    let mut records = BlobClient::dial(&it.house.enclave).await;
    assert_eq!(records.ask(commit(Some(b"three"), b"four", vec![])).await, Outcome::Committed);
    let (code, words, next) = ordered.took_over().await;
    assert!(
        code == "successor_late" && words.contains("has taken the state over, and then"),
        "{code}: {words}"
    );
    assert!(next.contains("start it again"), "{next}");
    assert_eq!(records.ask(commit(Some(b"four"), b"five", vec![])).await, Outcome::Committed);
    assert!(it.second.dial_parent(LIFECYCLE_PORT).await.is_err(), "the old one's ports are closed");
    let _first = serve(&it.house.enclave, b'3').await;
    assert_eq!(answers(&mut it.house.connect().await).await, b'3');
    assert!(matches!(say(&it.house.enclave, Request::Predecessor).await, Some((Reply::None, _))));

    // Nor does what it says, nor a parent that is asked to stop.
    for (failed, wanted) in [(true, "successor_failed"), (false, "parent_stopping")] {
        let it = Succession::begin().await;
        let mut ordered = it.start_with(|_| {}).await;
        let mut records = BlobClient::dial(&it.second).await;
        assert_eq!(records.ask(commit(None, b"one", vec![])).await, Outcome::Committed);
        ordered.reaches(Step::TookOver).await;
        if failed {
            say(&it.second, Request::Failed("no memory".to_owned())).await;
            assert_eq!(ordered.took_over().await.0, wanted);
            assert_eq!(records.ask(commit(Some(b"one"), b"two", vec![])).await, Outcome::Committed);
            it.house.parent.shutdown().await;
        } else {
            timeout(LIMIT, it.house.parent.shutdown()).await.unwrap();
            match ordered.ordering.await.unwrap() {
                Ok(Line::TookOver { code, .. }) => assert_eq!(code, wanted),
                // The connection may end before the last line.
                Err(StatusError::Connect { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_before_anything_is_touched() {
    let it = Succession::begin().await;
    let folder = it.house.folder.path();
    std::fs::write(folder.join("large"), vec![0; MAX_MANIFEST_BYTES + 1]).unwrap();
    std::fs::write(folder.join("empty"), "").unwrap();
    let serving = format!("unix:{}", folder.join("enclave.sock").display());
    let order = it.order();
    let with = |change: &dyn Fn(&mut Order)| {
        let mut order = order.clone();
        change(&mut order);
        order
    };
    let refused = [
        ("manifest", "cannot read", with(&|order| order.manifest = folder.join("nothing"))),
        ("manifest", "1 to", with(&|order| order.manifest = folder.join("large"))),
        ("manifest", "1 to", with(&|order| order.manifest = folder.join("empty"))),
        ("upgrade_usage", "absolute", with(&|order| order.manifest = "manifest".into())),
        ("configuration", "cannot read", with(&|order| order.configuration = Some(folder.join("nothing")))),
        ("upgrade_usage", "by --enclave", with(&|order| order.enclave = None)),
        ("upgrade_usage", "no endpoint", with(&|order| order.enclave = Some("tcp:1".into()))),
        ("upgrade_usage", "needs another", with(&|order| order.enclave = Some(serving.clone()))),
        ("upgrade_usage", "--image", with(&|order| order.image = Some(folder.join("image")))),
    ];
    for (wanted, word, order) in refused {
        let (code, words) = it.upgrade(order).fails().await;
        assert!(code == wanted && words.contains(word), "{code}: {words}");
        it.is_as_it_was().await;
    }

    // Not an order.
    for request in [
        "POST /upgrade HTTP/1.1\r\n\r\n",
        "POST /upgrade HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
        "POST /upgrade HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
        "POST /upgrade HTTP/1.1\r\nContent-Length: 11\r\n\r\n{\"other\": 1}",
    ] {
        let mut admin = tokio::net::UnixStream::connect(it.house.data().join("admin.sock")).await.unwrap();
        admin.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        admin.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 409 "), "{answer}");
    }
}

/// A parent that starts its enclaves, on a machine with room for two.
struct Machine(FakeMachine);

impl Machine {
    fn with_room() -> Self {
        let machine = FakeMachine::new();
        machine.write("root/sys/module/nitro_enclaves/parameters/ne_cpus", "1-4\n");
        machine.write("configuration", "the first");
        machine.write("new-configuration", "the second");
        std::fs::write(machine.path("manifest"), MANIFEST).unwrap();
        std::fs::write(machine.path("new.eif"), image("reboot=k panic=31")).unwrap();
        Self(machine)
    }

    fn settings(&self) -> Settings {
        let enclave = Endpoint::Unix { path: self.0.path("e.sock") };
        let mut settings = Settings::new(
            "127.0.0.1:0".parse().unwrap(),
            enclave,
            self.0.path("data"),
            self.0.path("configuration"),
        );
        settings.heartbeat = false;
        settings.forward.drain_timeout_ms = 200;
        settings
    }

    async fn start(&self, launch: Launch) -> RunningAppliance {
        let appliance = Appliance::start(self.settings(), launch, &self.0.machine()).await.unwrap();
        self.status(|status| status["enclave"]["state"] == "running").await;
        appliance
    }

    fn enclave(&self, socket: &str) -> EnclaveTransport {
        EnclaveTransport::new(Endpoint::Unix { path: self.0.path(socket) })
    }

    async fn status(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let data = self.0.path("data");
        let asking = async {
            loop {
                let text = query_status(&data, StatusFormat::Json).await.unwrap();
                let status: Value = serde_json::from_str(&text).unwrap();
                if wanted(&status) {
                    return status;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(LIMIT, asking).await.unwrap()
    }

    fn order(&self) -> Order {
        Order {
            manifest: self.0.path("manifest"),
            image: Some(self.0.path("new.eif")),
            configuration: Some(self.0.path("new-configuration")),
            ..Order::default()
        }
    }

    fn upgrade(&self) -> Ordered {
        Ordered::begin(self.0.path("data"), self.order())
    }

    /// The starts so far: image, context id and name of each.
    fn started(&self) -> Vec<(String, String, String)> {
        let calls = self.0.calls();
        let started = calls.iter().filter(|call| call.starts_with("run-enclave"));
        let after = |call: &str, option: &str| {
            let mut words = call.split(' ').skip_while(|word| *word != option);
            words.nth(1).unwrap().rsplit('/').next().unwrap().to_owned()
        };
        started
            .map(|call| {
                (after(call, "--eif-path"), after(call, "--enclave-cid"), after(call, "--enclave-name"))
            })
            .collect()
    }
}

fn start_of(image: &str, cid: &str, name: &str) -> (String, String, String) {
    (image.to_owned(), cid.to_owned(), name.to_owned())
}

async fn letter(address: std::net::SocketAddr) -> u8 {
    answers(&mut TcpStream::connect(address).await.unwrap()).await
}

#[tokio::test]
async fn the_successor_is_started_beside_the_enclave_and_kept_running_after_it() {
    let machine = Machine::with_room();
    let appliance = machine.start(machine.0.launch()).await;
    let _first = serve(&machine.enclave("e.sock"), b'1').await;
    assert_eq!(letter(appliance.local_addr()).await, b'1');

    let mut ordered = machine.upgrade();
    ordered.reaches(Step::Started).await;
    let second = machine.enclave("e.sock-2");
    let waiting = async {
        while machine.0.enclaves().len() < 2 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, waiting).await.unwrap();
    let mut asked = second.dial_parent(CONFIGURATION_PORT).await.unwrap();
    assert_eq!(read_frame(&mut asked, MAX_CONFIGURATION_BYTES).await.unwrap(), b"the second");
    let (offered, to_first) = say(&second, Request::Predecessor).await.unwrap();
    assert!(matches!(offered, Reply::Offered { .. }));
    let serving = serve(&second, b'2').await;
    assert!(matches!(say(&second, Request::Serving).await, Some((Reply::Noted, _))));
    drop(to_first);
    assert!(matches!(ordered.ends().await, Line::Done { .. }));
    assert_eq!(letter(appliance.local_addr()).await, b'2');
    assert_eq!(machine.0.enclaves().len(), 1, "the old one has ended");
    assert_eq!(
        machine.started(),
        [start_of("image.eif", "16", "r3e-16"), start_of("new.eif", "17", "r3e-16-2")]
    );

    // The supervisor keeps the new one running, as an ordinary boot.
    std::fs::remove_file(machine.0.path("tools/enclaves").join(&machine.0.enclaves()[0])).unwrap();
    machine
        .status(|status| status["enclave"]["starts"] == 2 && status["enclave"]["state"] == "running")
        .await;
    assert_eq!(machine.started().last().unwrap(), &start_of("new.eif", "17", "r3e-16-2"));
    assert!(matches!(say(&second, Request::Predecessor).await, Some((Reply::None, _))));
    serving.abort();
    timeout(LIMIT, appliance.shutdown()).await.unwrap();
    assert_eq!(machine.0.enclaves(), [""; 0]);

    // So does a parent that starts again with the old settings; it also ends what a killed one left at either place.
    machine.0.put_enclave("i-1-enc77", "r3e-16-2", 17, 2);
    let appliance = machine.start(machine.0.launch()).await;
    assert_eq!(machine.started().last().unwrap(), &start_of("new.eif", "16", "r3e-16"));
    assert!(machine.0.calls().contains(&"terminate-enclave --enclave-id i-1-enc77".to_owned()));
    let mut asked = machine.enclave("e.sock").dial_parent(CONFIGURATION_PORT).await.unwrap();
    assert_eq!(read_frame(&mut asked, MAX_CONFIGURATION_BYTES).await.unwrap(), b"the second");
    timeout(LIMIT, appliance.shutdown()).await.unwrap();

    // Settings that name something else are in force again, and stay so.
    std::fs::write(machine.0.path("third.eif"), image("reboot=k panic=32")).unwrap();
    let mut launch = machine.0.launch();
    launch.image = machine.0.path("third.eif");
    let appliance = machine.start(launch).await;
    assert_eq!(machine.started().last().unwrap().0, "third.eif");
    timeout(LIMIT, appliance.shutdown()).await.unwrap();
    let appliance = machine.start(machine.0.launch()).await;
    assert_eq!(machine.started().last().unwrap().0, "image.eif");
    timeout(LIMIT, appliance.shutdown()).await.unwrap();
}

#[tokio::test]
async fn a_successor_that_ends_before_it_serves_is_not_started_again() {
    let machine = Machine::with_room();
    let appliance = machine.start(machine.0.launch()).await;
    let _first = serve(&machine.enclave("e.sock"), b'1').await;
    let first = machine.0.enclaves();
    let mut ordered = machine.upgrade();
    ordered.reaches(Step::Started).await;
    let waiting = async {
        while machine.0.enclaves().len() < 2 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, waiting).await.unwrap();
    let second = machine.0.enclaves().into_iter().find(|id| !first.contains(id)).unwrap();
    std::fs::remove_file(machine.0.path("tools/enclaves").join(second)).unwrap();
    let (code, words) = ordered.fails().await;
    assert!(code == "successor_ended" && words.contains("lists it no more"), "{code}: {words}");
    assert_eq!(machine.0.enclaves(), first);
    assert_eq!(letter(appliance.local_addr()).await, b'1');

    // One that says why before it ends is quoted.
    let mut ordered = machine.upgrade();
    ordered.reaches(Step::Started).await;
    let second = machine.enclave("e.sock-2");
    say(&second, Request::Predecessor).await.unwrap();
    say(&second, Request::Failed("downgrade: 1.0.0 after 2.0.0".to_owned())).await;
    let (code, words) = ordered.fails().await;
    assert!(code == "successor_failed" && words.ends_with("downgrade: 1.0.0 after 2.0.0"), "{code}: {words}");
    assert_eq!(machine.0.enclaves(), first);
    assert_eq!(machine.started().len(), 3);
    assert!(!machine.0.path("data/upgraded.json").exists());

    // While it serves at the first place, the first enclave is restarted as ever.
    std::fs::remove_file(machine.0.path("tools/enclaves").join(&first[0])).unwrap();
    machine
        .status(|status| status["enclave"]["starts"] == 2 && status["enclave"]["state"] == "running")
        .await;
    timeout(LIMIT, appliance.shutdown()).await.unwrap();
    assert_eq!(machine.0.enclaves(), [""; 0]);
}

#[tokio::test]
async fn a_successor_that_ends_after_its_first_commit_is_started_again_and_not_the_old_one() {
    for noticed in [true, false] {
        let machine = Machine::with_room();
        let appliance = machine.start(machine.0.launch()).await;
        let _first = serve(&machine.enclave("e.sock"), b'1').await;
        let head = commit(None, b"one", vec![]);
        assert_eq!(BlobClient::dial(&machine.enclave("e.sock")).await.ask(head).await, Outcome::Committed);
        let first = machine.0.enclaves();

        let mut ordered = machine.upgrade();
        ordered.reaches(Step::Started).await;
        let waiting = async {
            while machine.0.enclaves().len() < 2 {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(LIMIT, waiting).await.unwrap();
        let second = machine.enclave("e.sock-2");
        let (offered, _) = say(&second, Request::Predecessor).await.unwrap();
        assert!(matches!(offered, Reply::Offered { .. }));
        let ended = machine.0.enclaves().into_iter().find(|id| !first.contains(id)).unwrap();
        let ended = machine.0.path("tools/enclaves").join(ended);
        let mut records = BlobClient::dial(&second).await;
        let taking_over = commit(Some(b"one"), b"two", vec![]);
        if noticed {
            assert_eq!(records.ask(taking_over).await, Outcome::Committed);
            ordered.reaches(Step::TookOver).await;
            std::fs::remove_file(ended).unwrap();
        } else {
            // It ends with the commit on its way, and its connection with it.
            records.send(taking_over).await.unwrap();
            std::fs::remove_file(ended).unwrap();
        }
        let (code, words, next) = ordered.took_over().await;
        assert!(code == "successor_ended" && words.contains("lists it no more"), "{code}: {words}");
        assert!(next.contains("comes back by its unlock provider"), "{next}");

        // The appliance is the successor's image, and the old one's is no more, in this parent and in the next.
        machine
            .status(|status| status["enclave"]["starts"] == 2 && status["enclave"]["state"] == "running")
            .await;
        assert_eq!(
            machine.started(),
            [
                start_of("image.eif", "16", "r3e-16"),
                start_of("new.eif", "17", "r3e-16-2"),
                start_of("new.eif", "17", "r3e-16-2")
            ]
        );
        assert_eq!(machine.0.enclaves().len(), 1);
        assert!(!machine.0.enclaves().contains(&first[0]));
        assert!(matches!(say(&second, Request::Predecessor).await, Some((Reply::None, _))));
        let mut records = BlobClient::dial(&second).await;
        assert_eq!(records.ask(Operation::Head).await, Outcome::Head(Some(b"two".to_vec())));
        let _second = serve(&second, b'2').await;
        assert!(matches!(say(&second, Request::Serving).await, Some((Reply::Noted, _))));
        assert_eq!(letter(appliance.local_addr()).await, b'2');
        timeout(LIMIT, appliance.shutdown()).await.unwrap();
        assert_eq!(machine.0.enclaves(), [""; 0]);
        let appliance = machine.start(machine.0.launch()).await;
        assert_eq!(machine.started().last().unwrap(), &start_of("new.eif", "16", "r3e-16"));
        timeout(LIMIT, appliance.shutdown()).await.unwrap();
    }
}

#[tokio::test]
async fn a_machine_without_room_for_two_is_told_so_before_the_successor_starts() {
    let machine = Machine::with_room();
    machine.0.write("root/sys/module/nitro_enclaves/parameters/ne_cpus", "1,3\n");
    let appliance = machine.start(machine.0.launch()).await;
    // What is left once the first has its own.
    machine.0.write("root/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "200\n");
    let Line::Failed { code, words, findings } = machine.upgrade().ends().await else { panic!("upgraded") };
    assert_eq!(code, "preflight");
    let codes: Vec<_> = findings.iter().map(|finding| finding.code.as_str()).collect();
    for wanted in ["hugepages_in_use", "cpu_pool_too_small"] {
        assert!(codes.contains(&wanted), "{codes:?}");
    }
    assert!(words.contains("two enclaves at once") && words.contains("memory_mib: 1136"), "{words}");
    assert_eq!(machine.started().len(), 1);

    // Nor is an image started that is none, or that is not what was published.
    machine.0.write("root/sys/module/nitro_enclaves/parameters/ne_cpus", "1-4\n");
    machine.0.write("root/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "512\n");
    for (path, wanted) in [
        (machine.0.path("configuration"), "image_refused"),
        (machine.0.path("new.eif"), "image_not_published"),
    ] {
        let order =
            Order { image: Some(path), reference_values: Some(machine.0.publish()), ..machine.order() };
        let Line::Failed { findings, .. } = Ordered::begin(machine.0.path("data"), order).ends().await else {
            panic!("upgraded")
        };
        assert!(findings.iter().any(|finding| finding.code == wanted), "{findings:?}");
    }
    let order = Order { enclave: Some("vsock:99".into()), ..machine.order() };
    let (code, words) = Ordered::begin(machine.0.path("data"), order).fails().await;
    assert!(code == "upgrade_usage" && words.contains("leave --enclave out"), "{words}");
    assert_eq!(machine.started().len(), 1);
    timeout(LIMIT, appliance.shutdown()).await.unwrap();
}

/// The program itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_tells_the_steps_and_ends_with_the_outcome() {
    let it = Succession::begin().await;
    let run = |more: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_r3e-parent"));
        command.current_dir(it.house.folder.path()).env_clear();
        command.args(["upgrade", "--data", "data", "--manifest", "manifest"]).args(more);
        tokio::task::spawn_blocking(move || {
            let output = command.output().unwrap();
            let text = |bytes| String::from_utf8(bytes).unwrap();
            (output.status.code(), text(output.stdout), text(output.stderr))
        })
    };
    let (code, _, said) = run(&[]).await.unwrap();
    assert!(code == Some(2) && said.contains("nothing to upgrade to"), "{said}");
    let (code, _, said) = run(&["--enclave", "unix:x", "--image", "x"]).await.unwrap();
    assert!(code == Some(2) && said.contains("cannot be used with"), "{said}");

    let endpoint = format!("unix:{}", it.house.folder.path().join("second.sock").display());
    let appears = async |path: &Path| {
        while !path.exists() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let port = it.house.folder.path().join("second.sock_5005");
    let running = run(&["--enclave", &endpoint]);
    timeout(LIMIT, appears(&port)).await.unwrap();
    say_until_heard(&it.second, Request::Failed("not_a_predecessor: no".to_owned())).await;
    let (code, out, said) = running.await.unwrap();
    assert_eq!(code, Some(1), "{out}{said}");
    assert!(out.contains("start it now") && said.contains("[successor_failed]"), "{out}{said}");
    assert!(said.contains("not_a_predecessor: no") && said.contains("goes on"), "{said}");

    let running = run(&["--enclave", &endpoint, "--json"]);
    timeout(LIMIT, appears(&port)).await.unwrap();
    let _second = serve(&it.second, b'2').await;
    say_until_heard(&it.second, Request::Serving).await;
    let (code, out, said) = running.await.unwrap();
    assert_eq!(code, Some(0), "{out}{said}");
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let steps: Vec<_> = lines.iter().filter_map(|line| line["step"].as_str()).collect();
    assert_eq!(steps, ["checked", "started", "switched", "drained"]);
    assert_eq!(lines.last().unwrap()["event"], "done");
    assert_eq!(answers(&mut it.house.connect().await).await, b'2');
}
