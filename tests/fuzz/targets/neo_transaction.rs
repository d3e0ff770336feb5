//! Transactions and blocks of Neo N3, as nodes hand them over. The first byte says which.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_chain::limits::MAX_NEO_BLOCK_TRANSACTIONS;
use r3e_chain::neo::Block;
use r3e_neo::Transaction;
use r3e_neo::limits::{MAX_NEO_ATTRIBUTES, MAX_NEO_TRANSACTION_BYTES};

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    if kind & 1 == 0 {
        let Ok(transaction) = Transaction::decode(bytes) else { return };
        assert!(bytes.len() <= MAX_NEO_TRANSACTION_BYTES);
        keeps_the_rules(&transaction);
        assert_eq!(transaction.encode().as_deref(), Ok(bytes), "one transaction, one encoding");
        assert!(transaction.hash().is_ok());
    } else {
        let Ok(block) = Block::decode(bytes) else { return };
        assert!(block.transactions.len() <= MAX_NEO_BLOCK_TRANSACTIONS);
        block.transactions.iter().for_each(keeps_the_rules);
        assert_eq!(block.encode(), bytes, "one block, one encoding");
    }
});

fn keeps_the_rules(transaction: &Transaction) {
    assert!(transaction.system_fee >= 0 && transaction.network_fee >= 0);
    assert!(!transaction.signers.is_empty() && !transaction.script.is_empty());
    assert!(transaction.signers.len() + transaction.attributes.len() <= MAX_NEO_ATTRIBUTES);
    assert!(transaction.witnesses.is_empty() || transaction.witnesses.len() == transaction.signers.len());
}
