//! The command line: its words and its help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::commands::{
    billing, chain, deploy, enclave, feeds, functions, init, jobs, keys, local, login, metrics, operator,
    random, release, secrets, state, tenants, triggers, wallets, zk,
};

const AFTER_HELP: &str = "\
Settings come from options, else R3E_* variables, else the profile in ~/.config/r3e/config.toml:

  default = \"local\"

  [profiles.local]
  address = \"127.0.0.1:8443\"
  reference_values = \"reference-values.json\"    # paths are relative to the file
  pin_configuration = \"enclave.toml\"
  key_file = \"tenant.pem\"
  operator_key_file = \"operator.pem\"
  member_key_file = \"alice.pem\"                 # for a member of the unlock quorum

Which image may run is in the reference values; which configuration, in pin_configuration. Where none is
pinned, the first one seen at an address is kept in ~/.config/r3e/known_configurations, and another one there
is refused until --accept-configuration names it. So is another appliance than the one seen there first, which is kept
in known_appliances, until --accept-identity names it: a new one has other keys and an empty state.

Exit codes: 0 done; 1 the appliance refused, or was refused; 2 wrong usage, or an unreadable file;
3 no connection to an appliance; 4 the function failed; 5 the job has not ended in time.

Examples:
  r3e --address enclave.example:443 --reference-values release.json enclave attest
  r3e tenants keygen
  r3e login
  r3e functions deploy price.js --name price --secret API_TOKEN --net api.example.com
  r3e functions invoke price --input '{\"pair\":\"NEO/USD\"}' --receipt price.receipt";

/// The client of R3E appliances: attests first, speaks after.
#[derive(Debug, Parser)]
#[command(name = "r3e", version, after_help = AFTER_HELP, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes. Each option has a variable and a line in the profile; the option wins, then the variable.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct Global {
    /// The profile to use, instead of the file's `default`
    #[arg(long, global = true, env = "R3E_PROFILE", value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The appliance: HOST or HOST:PORT
    #[arg(long, global = true, env = "R3E_ADDRESS", value_name = "HOST:PORT")]
    pub(crate) address: Option<String>,
    /// The releases to accept, as a JSON file of reference values
    #[arg(long, global = true, env = "R3E_REFERENCE_VALUES", value_name = "FILE")]
    pub(crate) reference_values: Option<PathBuf>,
    /// Releases that may have made a quorum's setup which this machine does not know yet, beside those accepted: a JSON
    /// file of reference values. No appliance is accepted for them
    #[arg(long, global = true, env = "R3E_SETUP_REFERENCE_VALUES", value_name = "FILE")]
    pub(crate) setup_reference_values: Option<PathBuf>,
    /// Accept only an appliance whose measured configuration (PCR16) is this file, byte for byte. Without it, the
    /// configuration that is seen first at an address is remembered, and no other is accepted there
    #[arg(long, global = true, env = "R3E_PIN_CONFIGURATION", value_name = "FILE")]
    pub(crate) pin_configuration: Option<PathBuf>,
    /// Accept the configuration with this SHA-384, and remember it for the address in place of the one seen before
    #[arg(long, global = true, value_name = "DIGEST", conflicts_with = "any_configuration")]
    pub(crate) accept_configuration: Option<String>,
    /// Accept the appliance with this identity, the commitment to its root secret, and remember it for the address in place
    /// of the one seen before
    #[arg(long, global = true, value_name = "HEX")]
    pub(crate) accept_identity: Option<String>,
    /// UNSAFE: accept any configuration, this once: another operator's too. Nothing is remembered
    #[arg(long, global = true)]
    pub(crate) any_configuration: bool,
    /// UNSAFE: trust this root instead of AWS's. Whoever holds its key can fake any appliance; for local runs alone
    #[arg(long, global = true, env = "R3E_TEST_ROOT", value_name = "PEM")]
    pub(crate) test_root: Option<PathBuf>,
    /// Refuse attestation documents older than this
    #[arg(long, global = true, env = "R3E_MAX_AGE", value_name = "SECONDS")]
    pub(crate) max_age: Option<u64>,
    /// Tolerate this difference between this clock and the hypervisor's
    #[arg(long, global = true, env = "R3E_CLOCK_SKEW", value_name = "SECONDS")]
    pub(crate) clock_skew: Option<u64>,
    /// The tenant's key file (an API key comes from `R3E_API_KEY` or `r3e login`, never from an option)
    #[arg(long, global = true, env = "R3E_KEY_FILE", value_name = "PEM")]
    pub(crate) key_file: Option<PathBuf>,
    /// The operator's key file
    #[arg(long, global = true, env = "R3E_OPERATOR_KEY_FILE", value_name = "PEM")]
    pub(crate) operator_key_file: Option<PathBuf>,
    /// The key file of a member of the unlock quorum
    #[arg(long, global = true, env = "R3E_MEMBER_KEY_FILE", value_name = "PEM")]
    pub(crate) member_key_file: Option<PathBuf>,
    /// Accept, this once, an appliance whose state is older than one this machine has seen
    #[arg(long, global = true)]
    pub(crate) accept_rolled_back: bool,
    /// Print one JSON object (errors too) on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look at the appliance
    #[command(subcommand)]
    Enclave(enclave::Command),
    /// Keep the secrets that functions use
    #[command(subcommand)]
    Secrets(secrets::Command),
    /// Begin a function: a folder with source, tests and declarations
    Init(init::Init),
    /// Serve a function on this machine, and load it again whenever a file of it changes
    Dev(local::Passed),
    /// Deploy a folder of modules, or a zip of one, as its r3e.toml says
    Deploy(deploy::Deploy),
    /// Deploy and invoke functions
    #[command(subcommand)]
    Functions(functions::Command),
    /// Follow invocations that were queued
    #[command(subcommand)]
    Jobs(jobs::Command),
    /// Have functions run by themselves: on a schedule, for a request, for an event
    #[command(subcommand)]
    Triggers(triggers::Command),
    /// Run price feeds: venues that are asked, and reports that are signed for contracts
    #[command(subcommand)]
    Feeds(feeds::Command),
    /// Draw verifiable random numbers
    #[command(subcommand)]
    Random(random::Command),
    /// Make zero-knowledge proofs, and verify them
    #[command(subcommand)]
    Zk(zk::Command),
    /// Publish an event to the triggers of a topic
    Publish(triggers::Publish),
    /// Keep keys that sign, each behind a policy
    #[command(subcommand)]
    Wallets(wallets::Command),
    /// Have wallets' transactions brought onto their chains, each once
    #[command(subcommand)]
    Chain(chain::Command),
    /// Print what the appliance counts, or serve it to a Prometheus on this machine
    Metrics(metrics::Metrics),
    /// Show what functions used in a month, and the quota
    Usage(billing::Usage),
    /// Show the plan and the balance
    #[command(after_help = billing::BALANCE_HELP)]
    Balance,
    /// Show the entries of the ledger: every deposit, withdrawal, reservation and charge
    Ledger(billing::Ledger),
    /// Sign in with the tenant's key and save an API key for this profile
    Login(login::Login),
    /// Show whose requests these are, and what the key may do, as the appliance says it
    #[command(after_help = "Example:\n  R3E_API_KEY=… r3e whoami --json")]
    Whoami,
    /// Mint and revoke API keys, signed in with the tenant's key
    #[command(subcommand)]
    Keys(keys::Command),
    /// The operator's own key; unlock the appliance, as a member of its quorum
    #[command(subcommand)]
    Operator(operator::Command),
    /// Admit and suspend tenants, signed in with the operator's key; make a tenant's key
    #[command(subcommand)]
    Tenants(tenants::Command),
    /// Say which image a running appliance may be replaced by, and approve it; connects to nothing
    #[command(subcommand)]
    Release(release::Command),
    /// Look at the sealed state and rotate its keys, signed in with the operator's key
    #[command(subcommand)]
    State(state::Command),
    /// Look at the settings
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  r3e completions bash > ~/.local/share/bash-completion/completions/r3e"
    )]
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// Show every setting and where it comes from; connects to nothing
    #[command(after_help = "Example:\n  r3e profile show --profile local")]
    Show,
}
