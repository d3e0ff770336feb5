//! Why the gate says no: one reason, with what to do about it.

use r3e_neo::Hash160;
use r3e_proto::api::wallets::{EvmAddress, Selector, Wei};
use thiserror::Error;

/// The rule that a request breaks. [`Denied::code`] is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Denied {
    /// API keys may not do this.
    #[error("the policy does not let API keys do this; the tenant's own key may")]
    ApiKey,
    /// A version of a function that the policy does not name.
    #[error("the policy names no such version of that function: `functions`, NAME@VERSION")]
    Function,
    /// No rules for this chain.
    #[error("the policy allows no transaction on chain {chain_id}")]
    Chain {
        /// The chain.
        chain_id: u64,
    },
    /// Not a recipient of the list.
    #[error("the policy does not allow {to} as a recipient on chain {chain_id}")]
    Recipient {
        /// The chain.
        chain_id: u64,
        /// The recipient.
        to: EvmAddress,
    },
    /// Coins without data, to a recipient that may only be called.
    #[error("the policy does not allow a plain transfer to {to}")]
    Transfer {
        /// The recipient.
        to: EvmAddress,
    },
    /// Not a method of the list.
    #[error("the policy does not allow the method {selector} of {to}")]
    Method {
        /// The recipient.
        to: EvmAddress,
        /// What the data begins with.
        selector: Selector,
    },
    /// Data of one to three bytes names no method.
    #[error(
        "the data is too short to name a method of {to}, and the policy allows only methods that it names"
    )]
    ShortData {
        /// The recipient.
        to: EvmAddress,
    },
    /// A transaction without a recipient.
    #[error("the policy allows no creation of contracts on chain {chain_id}")]
    Creation {
        /// The chain.
        chain_id: u64,
    },
    /// A creation with a value, where not every recipient is allowed.
    #[error(
        "a creation sends its value wherever the created code says, and the policy does not allow every recipient: create \
         without the value {value}"
    )]
    CreationValue {
        /// What would be sent along.
        value: Wei,
    },
    /// Not a contract of the list.
    #[error("the policy does not allow calls of {contract} on the network {magic}")]
    Contract {
        /// The network's magic number.
        magic: u32,
        /// The contract.
        contract: Hash160,
    },
    /// Not a method of the list.
    #[error("the policy does not allow that method of {contract}")]
    ContractMethod {
        /// The contract.
        contract: Hash160,
    },
    /// A signature that the contract may use.
    #[error("the policy does not let {contract} act in the account's name: call it with the scope none")]
    Witness {
        /// The contract.
        contract: Hash160,
    },
    /// A transfer to an account that is not listed.
    #[error(
        "the policy does not allow such a transfer of {contract}: from the account to one of its recipients, with null as data"
    )]
    TransferTo {
        /// The token's contract.
        contract: Hash160,
    },
    /// More data than one transaction may have.
    #[error("{bytes} bytes of data, access list or script are over the policy's {max} for one transaction")]
    Data {
        /// What it has.
        bytes: usize,
        /// What it may have.
        max: u32,
    },
    /// Over the value of one transaction.
    #[error("the value {value} is over the policy's {max} for one transaction")]
    Value {
        /// What would be sent along.
        value: Wei,
        /// What may be.
        max: Wei,
    },
    /// Over the fee of one transaction.
    #[error("the highest fee {fee} is over the policy's {max} for one transaction")]
    Fee {
        /// What it could cost.
        fee: Wei,
        /// What it may.
        max: Wei,
    },
    /// Over the sum of the window.
    #[error("{spent} are spent in this window, and {spend} more would be over the policy's {max}")]
    Spend {
        /// What is spent.
        spent: Wei,
        /// What would be.
        spend: Wei,
        /// What may be.
        max: Wei,
    },
    /// Over the number of the window.
    #[error("the window's {max} signatures are made; the next may be at {next_ms} (Unix milliseconds)")]
    Rate {
        /// How many may be.
        max: u32,
        /// When the oldest leaves the window.
        next_ms: u64,
    },
    /// Messages.
    #[error("the policy allows no messages")]
    Message,
    /// EIP-712 of another domain.
    #[error("the policy allows no typed data for {verifying_contract} on chain {chain_id}")]
    TypedData {
        /// The domain's chain.
        chain_id: u64,
        /// The domain's contract.
        verifying_contract: EvmAddress,
    },
    /// Digests and bytes of unknown meaning.
    #[error("the policy does not let digests or bytes be signed as they are")]
    Raw,
    /// Too few consents.
    #[error("{have} of {need} approvals are there")]
    ApprovalMissing {
        /// How many are needed.
        need: u8,
        /// How many hold.
        have: u8,
    },
    /// A consent that does not hold.
    #[error("approval {index} does not hold: {fault}")]
    Approval {
        /// Which, from 0.
        index: usize,
        /// Why.
        fault: ApprovalFault,
    },
    /// The key stays inside.
    #[error("the policy does not let the key be exported")]
    Export,
    /// The key stays inside for ever.
    #[error("export can be allowed when a wallet is made, and never later")]
    ExportStaysOff,
    /// Its approvers hold it.
    #[error(
        "the policy has approvers, who hold this wallet: it is deleted once a policy without them stands, which takes \
         their consent"
    )]
    ApproversHold,
    /// The policy has no JSON form.
    #[error("the policy cannot be written as JSON")]
    PolicyForm,
}

/// Why one consent does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ApprovalFault {
    /// There are more than approvers can be.
    #[error("there are more approvals than a policy has approvers")]
    TooMany,
    /// Not an approver's.
    #[error("its key is no approver's")]
    Stranger,
    /// The same approver again.
    #[error("its approver has approved already")]
    Twice,
    /// Too late.
    #[error("it has expired")]
    Expired,
    /// For too long.
    #[error("it would hold for longer than an approval may")]
    TooLong,
    /// For something else.
    #[error("its signature is not over this request, this wallet and this revision of the policy")]
    Signature,
}

impl Denied {
    /// The reason's stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ApiKey => "api_key_not_allowed",
            Self::Function => "function_not_allowed",
            Self::Chain { .. } => "chain_not_allowed",
            Self::Recipient { .. } | Self::TransferTo { .. } => "recipient_not_allowed",
            Self::Transfer { .. } => "transfer_not_allowed",
            Self::Method { .. } | Self::ShortData { .. } | Self::ContractMethod { .. } => {
                "method_not_allowed"
            }
            Self::Contract { .. } => "contract_not_allowed",
            Self::Witness { .. } => "witness_not_allowed",
            Self::Creation { .. } => "creation_not_allowed",
            Self::CreationValue { .. } => "creation_value_not_allowed",
            Self::Data { .. } => "data_over_limit",
            Self::Value { .. } => "value_over_limit",
            Self::Fee { .. } => "fee_over_limit",
            Self::Spend { .. } => "window_spend_over_limit",
            Self::Rate { .. } => "window_signatures_over_limit",
            Self::Message => "message_not_allowed",
            Self::TypedData { .. } => "typed_data_not_allowed",
            Self::Raw => "raw_not_allowed",
            Self::ApprovalMissing { .. } => "approval_missing",
            Self::Approval { .. } => "approval_invalid",
            Self::Export => "export_not_allowed",
            Self::ExportStaysOff => "export_stays_off",
            Self::ApproversHold => "approvers_hold",
            Self::PolicyForm => "policy_form",
        }
    }
}
