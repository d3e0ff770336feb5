//! NEP-6: a wallet file with NEP-2 keys, of which one is imported. Members that say nothing of its key are passed over.

use serde::Deserialize;

use super::ImportError;
use super::kdf::Scrypt;
use super::nep2;
use crate::limits::MAX_NEP6_ACCOUNTS;
use crate::wallet::WalletSecret;

#[derive(Deserialize)]
struct File<'a> {
    version: &'a str,
    scrypt: Scrypt,
    #[serde(borrow)]
    accounts: Vec<Account<'a>>,
}

#[derive(Deserialize)]
struct Account<'a> {
    address: &'a str,
    /// `null` where the file watches an address that it has no key of.
    key: Option<&'a str>,
}

/// The key of the account with this address, or of the only one that has a key.
pub(super) fn open(json: &str, password: &[u8], account: Option<&str>) -> Result<WalletSecret, ImportError> {
    let file: File<'_> = serde_json::from_str(json)?;
    if !["1.0", "3.0"].contains(&file.version) {
        return Err(ImportError::Version);
    }
    if file.accounts.len() > MAX_NEP6_ACCOUNTS {
        return Err(ImportError::Accounts);
    }
    let with_keys = file.accounts.iter().filter_map(|found| Some((found.address, found.key?)));
    let wanted = |address: &str| account.is_none_or(|account| account == address);
    let found: Vec<_> = with_keys.filter(|(address, _)| wanted(address)).collect();
    let (address, key) = match found.as_slice() {
        [] => return Err(ImportError::NoAccount),
        [one] => *one,
        several => return Err(ImportError::WhichAccount { count: several.len() }),
    };
    let secret = nep2::open(key, password, &file.scrypt)?;
    // The account may be a contract's that the key only takes part in; a wallet here is the key's own account.
    if secret.key()?.address() != address {
        return Err(ImportError::Address);
    }
    Ok(secret)
}
