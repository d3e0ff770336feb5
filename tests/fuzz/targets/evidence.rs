//! Evidence replies and inclusion paths. A reply has one encoding; a path leads to one root, and proves one
//! binding at one place alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::channel::evidence::EvidenceReply;
use r3e_proto::channel::merkle::{Tree, root_from_path};
use r3e_proto::channel::statement::Statement;
use r3e_proto::limits::{MAX_BATCH_LEAVES, MAX_EVIDENCE_BYTES, MAX_PATH_NODES};

/// Building a tree of thousands of leaves for each input would leave no time for inputs.
const MAX_LEAVES_BUILT: u64 = 64;

fuzz_target!(|data: &[u8]| {
    let Ok(reply) = EvidenceReply::decode(data) else { return };
    assert!(data.len() <= MAX_EVIDENCE_BYTES);
    assert_eq!(reply.encode(), data, "one reply, one encoding");
    let EvidenceReply::Evidence(evidence) = reply else { return };
    assert!(evidence.path.len() <= MAX_PATH_NODES);

    let binding = evidence.configuration;
    let Ok(root) = root_from_path(&binding, evidence.index, evidence.size, &evidence.path) else {
        return;
    };
    assert!(evidence.index < evidence.size && evidence.size <= MAX_BATCH_LEAVES as u64);
    let statement = Statement::Sessions { root, size: evidence.size }.encode();
    assert_eq!(evidence.verify_binding(&binding, &statement), Ok(()));

    let mut other = binding;
    other[0] ^= 1;
    assert!(evidence.verify_binding(&other, &statement).is_err(), "another session's binding was taken");
    // A batch may hold one binding twice, side by side: then both places are its own, and only then.
    let leaf = root_from_path(&binding, 0, 1, &[]).expect("a tree of one leaf");
    let mut moved = evidence.clone();
    moved.index ^= 1;
    let twice = moved.index < moved.size && evidence.path.first() == Some(&leaf);
    assert_eq!(
        moved.verify_binding(&binding, &statement).is_ok(),
        twice,
        "the same path at another place was taken, or a place of its own was not"
    );
    let mut resized = evidence.clone();
    resized.size += 1;
    assert!(resized.verify_binding(&binding, &statement).is_err(), "the statement's size was not compared");
    assert!(evidence.verify_binding(&binding, &evidence.document).is_err() || evidence.document == statement);

    // A tree that is built holds every one of its leaves.
    if evidence.size <= MAX_LEAVES_BUILT {
        let leaves: Vec<_> = (0..evidence.size).map(|leaf| [leaf.to_le_bytes()[0]; 48]).collect();
        let tree = Tree::new(&leaves).expect("a size within the limit");
        let index = usize::try_from(evidence.index).expect("a small number");
        let path = tree.path(index).expect("a leaf of the tree");
        assert_eq!(path.len(), evidence.path.len(), "all paths to one leaf are as long");
        assert_eq!(root_from_path(&leaves[index], evidence.index, evidence.size, &path), Ok(tree.root()));
    }
});
