//! Why a key was not imported. No variant carries any of it.

use r3e_proto::api::wallets::KeyType;
use thiserror::Error;

use crate::KeyError;
use crate::limits::{MAX_NEP6_ACCOUNTS, MAX_PBKDF2_ITERATIONS, MAX_SCRYPT_MEMORY_BYTES, MAX_SCRYPT_WORK};

/// Why a key was not imported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The format holds no key of this type.
    #[error("this format holds no {} key", key_type.as_str())]
    KeyType {
        /// The type that was asked for.
        key_type: KeyType,
    },
    /// Over a limit.
    #[error("{what}: at most {max} bytes")]
    TooLong {
        /// What.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// The format needs a password.
    #[error("this format needs its password")]
    NoPassword,
    /// The format has none.
    #[error("this format has no password; leave it out")]
    PasswordOfNone,
    /// The format has no accounts.
    #[error("only a NEP-6 wallet has accounts; leave `account` out")]
    AccountOfNone,
    /// Not 64 hex digits.
    #[error("not a private key: it has 64 hex digits, with or without 0x")]
    Hex,
    /// Not WIF.
    #[error("not a WIF of a compressed key: a character of it is wrong, or it is something else")]
    Wif,
    /// Not NEP-2.
    #[error("not a NEP-2 key: a character of it is wrong, or it is something else")]
    Nep2,
    /// The password does not fit, or the file was changed: the two cannot be told apart.
    #[error("the password is wrong, or the file was changed")]
    Password,
    /// The number is no private key.
    #[error("the key is 0 or not below the group's order")]
    Range,
    /// The file says another address than its key has.
    #[error("the file says another address than that of its key")]
    Address,
    /// Not the JSON that it should be.
    #[error("not the JSON of this format, at line {line}, column {column}")]
    Json {
        /// Where reading ended.
        line: usize,
        /// Where in the line.
        column: usize,
    },
    /// A version of the format that is not read.
    #[error("this version of the format is not read")]
    Version,
    /// Another key derivation or cipher than the format defines.
    #[error("the file's {what} is not one that the format defines")]
    Algorithm {
        /// What.
        what: &'static str,
    },
    /// Parameters that are wrong, or would cost too much.
    #[error(
        "scrypt with these n, r and p is not done here: n a power of two over 1, at most {MAX_SCRYPT_MEMORY_BYTES} bytes \
         of memory, and n·r·p at most {MAX_SCRYPT_WORK}"
    )]
    Scrypt,
    /// As above.
    #[error("PBKDF2 is done here with 1 to {MAX_PBKDF2_ITERATIONS} iterations")]
    Pbkdf2,
    /// More accounts than are looked at.
    #[error("the wallet has more than {MAX_NEP6_ACCOUNTS} accounts; make one with fewer")]
    Accounts,
    /// No such account with a key.
    #[error("the wallet has no such account with a key")]
    NoAccount,
    /// Which account?
    #[error("the wallet has {count} accounts with keys: say which one by its address")]
    WhichAccount {
        /// How many.
        count: usize,
    },
    /// The cryptographic library.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl From<serde_json::Error> for ImportError {
    /// The place alone: the library's words may quote the file.
    fn from(error: serde_json::Error) -> Self {
        Self::Json { line: error.line(), column: error.column() }
    }
}
