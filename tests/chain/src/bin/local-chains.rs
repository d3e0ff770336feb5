//! Two chains and seven exchanges on this machine, for local runs: anvil and `NeoGo`, each behind three HTTPS fronts under names of their own, as an appliance
//! reaches nodes; and the feed's contracts and their consumers on them.
//!
//! `serve` writes into its folder what the others and an appliance's operator need, and ends with SIGTERM or SIGINT. `R3E_TEST_CHAINS` names the nodes' folder.

#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use r3e_chain::evm::EvmAddress;
use r3e_chain_under_test::{
    Account, Anvil, Contract, FeedContract, HttpNodes, NeoAccount, NeoFeed, NeoGo, of_address, word,
};
use r3e_e2e::exchanges::Exchanges;
use r3e_e2e::front::Front;
use r3e_neo::{Argument, Hash160, parse_address};
use r3e_proto::report::FeedId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep};

/// Fronts of each node.
const FRONTS: usize = 3;
/// Of the blocks that anvil is told to make, and of looks.
const SECOND: Duration = Duration::from_secs(1);
/// The native contract of GAS.
const GAS: &str = "0xd2a4cff31913016155e38e474a2c06d08be276cf";
/// A consumer on Ethereum takes no answer that is older.
const MAX_AGE_SECONDS: i128 = 600;
/// What consumers are asked the worth of.
const AMOUNT: i128 = 3;

/// Two chains and seven exchanges for local runs.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    command: Command,
    /// Where `serve` keeps what the others need
    #[arg(long, value_name = "DIR", global = true, default_value = ".")]
    folder: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Start all of it; the exchanges say the price that stands in the file `price`
    Serve,
    /// Deploy a feed's contracts and their consumers, for the key that attests the feed
    Deploy {
        /// What `r3e feeds show --json` prints
        #[arg(long, value_name = "FILE")]
        feed: PathBuf,
        /// What `r3e feeds key --json` prints
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Give an account coins
    Fund {
        /// An address of either chain
        address: String,
    },
    /// Wait until consumers on both chains read an answer, and show what they read
    Await {
        /// The answer, in the feed's units
        answer: i128,
        /// Of rounds after these
        #[arg(long, value_name = "EVM,NEO", value_delimiter = ',', default_values_t = [0, 0])]
        after: Vec<i128>,
        /// So long at the most
        #[arg(long, default_value_t = 60)]
        timeout_s: u64,
    },
}

/// What is where.
#[derive(Serialize, Deserialize)]
struct Places {
    anvil: u16,
    chain: u64,
    neogo: u16,
}

/// The contracts that were deployed.
#[derive(Serialize, Deserialize)]
struct Deployed {
    aggregator: EvmAddress,
    evm_consumer: EvmAddress,
    neo_feed: Hash160,
    neo_consumer: Hash160,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local-chains: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(Options { command, folder }: Options) -> anyhow::Result<()> {
    match command {
        Command::Serve => serve(&folder).await,
        Command::Deploy { feed, key } => deploy(&folder, &read(&feed)?, &read(&key)?).await,
        Command::Fund { address } => fund(&read(&folder.join("places.json"))?, &address).await,
        Command::Await { answer, after, timeout_s } => {
            until(&folder, answer, &after, Duration::from_secs(timeout_s)).await
        }
    }
}

async fn serve(folder: &Path) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (anvil, neogo) = (Anvil::start_as(31_337).await?, NeoGo::start().await?);
    neogo.give(&NeoAccount::new(1)?.address(), 10_000).await?;
    let price = folder.join("price");
    let exchanges = Exchanges::start(std::fs::read_to_string(&price)?.trim()).await;
    let (mut authorities, mut rules) = (exchanges.authority().to_owned(), exchanges.resolve_rules());
    let (mut chains, mut fronts) = (String::new(), Vec::new());
    for (network, name, port) in [
        (format!("eip155:{}", anvil.chain()), "ethereum", anvil.port()),
        (format!("neo-n3:{}", NeoGo::MAGIC), "neo", neogo.port()),
    ] {
        let hosts: Vec<String> = (1..=FRONTS).map(|number| format!("{name}{number}.example")).collect();
        for host in &hosts {
            let front = Front::start(host, port).await;
            authorities.push_str(front.authority());
            rules.push(front.resolve_rule());
            fronts.push(front);
        }
        let nodes: Vec<String> = hosts.iter().map(|host| format!("https://{host}/")).collect();
        let nodes = json!(nodes);
        write!(chains, "[[chain]]\nnetwork = \"{network}\"\nnodes = {nodes}\npoll_ms = 500\n\n")?;
    }
    std::fs::write(folder.join("ca.pem"), authorities)?;
    std::fs::write(folder.join("resolve"), rules.join("\n"))?;
    std::fs::write(folder.join("chains.toml"), chains)?;
    let places = Places { anvil: anvil.port(), chain: anvil.chain(), neogo: neogo.port() };
    println!("anvil on port {}, NeoGo on port {}", anvil.port(), neogo.port());
    // The last of them: whoever finds it finds the others.
    let part = folder.join("places.part");
    std::fs::write(&part, json!(places).to_string())?;
    std::fs::rename(part, folder.join("places.json"))?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            () = sleep(SECOND) => {}
        }
        exchanges.all_say(std::fs::read_to_string(&price)?.trim());
        anvil.mine(1).await?;
    }
}

async fn deploy(folder: &Path, feed: &Value, key: &Value) -> anyhow::Result<()> {
    let places: Places = read(&folder.join("places.json"))?;
    let (anvil, neogo) = (Anvil::at(places.anvil, places.chain), NeoGo::at(places.neogo));
    let text = |value: &Value, name: &str| -> anyhow::Result<String> {
        Ok(value[name].as_str().with_context(|| format!("no {name}"))?.to_owned())
    };
    let id = FeedId::named(&text(feed, "name")?).context("no feed's name")?.0;
    let config: [u8; 32] = bytes(&text(feed, "config_digest")?)?;
    let decimals = feed["definition"]["policy"]["decimals"].as_u64().context("no decimals")?.try_into()?;
    let document =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text(key, "document")?)?;
    let attestation: [u8; 32] = Sha256::digest(document).into();

    let mut admin = Account::number(0, places.chain)?;
    let settings = FeedContract {
        id,
        decimals,
        history: 0,
        signer: text(key, "evm_address")?.parse()?,
        config,
        attestation,
    };
    let aggregator = Contract::deploy_feed(&anvil, &mut admin, settings).await?.address;
    let arguments = [of_address(aggregator), word(MAX_AGE_SECONDS)];
    let evm_consumer =
        Contract::deploy(&anvil, &mut admin, "PriceConsumer", arguments.as_flattened()).await?.address;

    let admin = NeoAccount::new(1)?;
    let signer: [u8; 33] = bytes(&text(key, "neo_public_key")?)?;
    let made_of = NeoFeed { id, decimals, signer, config, attestation };
    let neo_feed = admin.deploy_feed(&neogo, made_of).await?;
    let neo_consumer = admin.deploy(&neogo, "consumer", Argument::Hash160(neo_feed)).await?;
    let deployed = Deployed { aggregator, evm_consumer, neo_feed, neo_consumer };
    std::fs::write(folder.join("deployed.json"), json!(deployed).to_string())?;
    println!("eip155:{}:{aggregator}\nneo-n3:{}:{neo_feed}", places.chain, NeoGo::MAGIC);
    println!("{}", Contract::at("Aggregator", aggregator)?.method("transmit")?);
    println!("{}\n{}", settings.signer, hex::encode(signer));
    Ok(())
}

async fn fund(places: &Places, address: &str) -> anyhow::Result<()> {
    if address.parse::<EvmAddress>().is_ok() {
        let anvil = HttpNodes::new(&[places.anvil]);
        anvil.ask("anvil_setBalance", json!([address, "0xde0b6b3a7640000"])).await?;
        println!("1 ether is on {address}");
        return Ok(());
    }
    let admin = NeoAccount::new(1)?;
    let to = parse_address(address)?;
    let arguments = [
        Argument::Hash160(admin.hash),
        Argument::Hash160(to),
        Argument::Integer(50_000_000_000_i128.into()),
        Argument::Null,
    ];
    admin.invoke(&NeoGo::at(places.neogo), GAS.parse()?, "transfer", &arguments).await?;
    println!("500 GAS are on {address}");
    Ok(())
}

/// What consumers of one chain read.
#[derive(Debug)]
struct Seen {
    round: i128,
    answer: i128,
    worth: i128,
}

async fn until(folder: &Path, answer: i128, after: &[i128], timeout: Duration) -> anyhow::Result<()> {
    let places: Places = read(&folder.join("places.json"))?;
    let deployed: Deployed = read(&folder.join("deployed.json"))?;
    let deadline = Instant::now() + timeout;
    loop {
        let seen = (on_anvil(&places, &deployed).await, on_neo(&places, &deployed).await);
        if let (Ok(evm), Ok(neo)) = &seen
            && [evm.answer, neo.answer] == [answer; 2]
            && [evm.round, neo.round].iter().zip(after).all(|(round, after)| round > after)
        {
            for (chain, seen) in [("eip155", evm), ("neo-n3", neo)] {
                let Seen { round, answer, worth } = seen;
                println!(
                    "{chain}: round {round}, answer {answer}; a consumer says that {AMOUNT} are worth {worth}"
                );
            }
            std::fs::write(folder.join("rounds"), format!("{},{}", evm.round, neo.round))?;
            return Ok(());
        }
        if Instant::now() >= deadline {
            bail!("not within {} s: {seen:?}", timeout.as_secs());
        }
        sleep(SECOND / 2).await;
    }
}

async fn on_anvil(places: &Places, deployed: &Deployed) -> anyhow::Result<Seen> {
    let (anvil, from) = (Anvil::at(places.anvil, places.chain), Account::number(1, places.chain)?.address);
    let feed = Contract::at("Aggregator", deployed.aggregator)?;
    let consumer = Contract::at("PriceConsumer", deployed.evm_consumer)?;
    let round = feed.ask(&anvil, from, ("latestRoundData", &[])).await?;
    let worth = consumer.ask(&anvil, from, ("worth", &[word(AMOUNT)])).await?;
    let number = |words: &[[u8; 32]], at: usize| -> anyhow::Result<i128> {
        let word = words.get(at).context("no such word")?;
        Ok(i128::from_be_bytes(word[16..].try_into()?))
    };
    Ok(Seen { round: number(&round, 0)?, answer: number(&round, 1)?, worth: number(&worth, 0)? })
}

async fn on_neo(places: &Places, deployed: &Deployed) -> anyhow::Result<Seen> {
    let (neogo, anyone) = (NeoGo::at(places.neogo), NeoAccount::new(1)?);
    let number = |value: Option<&Value>| -> anyhow::Result<i128> {
        Ok(value.and_then(|item| item["value"].as_str()).context("no number")?.parse()?)
    };
    let latest = anyone.ask(&neogo, deployed.neo_feed, "latestRoundData", &[]).await?;
    let latest = latest.stack.first().context("nothing")?["value"].clone();
    let amount = [Argument::Integer(AMOUNT.into())];
    let worth = anyone.ask(&neogo, deployed.neo_consumer, "worth", &amount).await?;
    Ok(Seen {
        round: number(latest.get(0))?,
        answer: number(latest.get(1))?,
        worth: number(worth.stack.first())?,
    })
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read(path).with_context(|| path.display().to_string())?;
    serde_json::from_slice(&text).with_context(|| path.display().to_string())
}

fn bytes<const N: usize>(text: &str) -> anyhow::Result<[u8; N]> {
    let bytes: r3e_chain::evm::HexBytes = text.parse()?;
    bytes.0.try_into().map_err(|_| anyhow::anyhow!("not of {N} bytes: {text}"))
}
