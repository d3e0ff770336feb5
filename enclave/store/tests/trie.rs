//! The trie against its definition: a recursive hash over the sorted map, written without any of the trie's shortcuts.

use std::collections::BTreeMap;

use proptest::prelude::*;
use r3e_store::{EMPTY_ROOT, Trie};
use sha2::{Digest, Sha256};

type Name = [u8; 32];

fn naive(records: &[(Name, [u8; 32])], depth: usize) -> [u8; 32] {
    let hash = |kind: u8, left: &[u8; 32], right: &[u8; 32]| {
        Sha256::new().chain_update([kind]).chain_update(left).chain_update(right).finalize().into()
    };
    match records {
        [] => EMPTY_ROOT,
        [(name, digest)] => hash(0, name, digest),
        _ => {
            let bit = |name: &Name| name[depth / 8] >> (7 - depth % 8) & 1 == 1;
            let (right, left): (Vec<_>, Vec<_>) = records.iter().partition(|(name, _)| bit(name));
            hash(1, &naive(&left, depth + 1), &naive(&right, depth + 1))
        }
    }
}

fn naive_root(map: &BTreeMap<Name, [u8; 32]>) -> [u8; 32] {
    naive(&map.iter().map(|(name, digest)| (*name, *digest)).collect::<Vec<_>>(), 0)
}

/// Names that share long prefixes, differ in their last bit, or have nothing in common.
fn names() -> impl Strategy<Value = Name> {
    prop_oneof![
        any::<Name>(),
        (0u8..4).prop_map(|last| {
            let mut name = [0xaa; 32];
            name[31] = last;
            name
        }),
        (0usize..256).prop_map(|bit| {
            let mut name = [0; 32];
            name[bit / 8] = 0x80 >> (bit % 8);
            name
        }),
    ]
}

#[derive(Debug, Clone)]
enum Step {
    Insert(Name, [u8; 32]),
    /// Removes the nth name that stands.
    Remove(prop::sample::Index),
    RemoveUnknown(Name),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (names(), any::<[u8; 32]>()).prop_map(|(name, digest)| Step::Insert(name, digest)),
        2 => any::<prop::sample::Index>().prop_map(Step::Remove),
        1 => names().prop_map(Step::RemoveUnknown),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_step_leaves_the_root_of_the_definition(steps in steps()) {
        let (mut trie, mut model) = (Trie::default(), BTreeMap::new());
        for step in steps {
            match step {
                Step::Insert(name, digest) => {
                    trie.insert(name, digest);
                    model.insert(name, digest);
                }
                Step::Remove(index) => {
                    let Some(name) = model.keys().nth(index.index(model.len().max(1))).copied() else { continue };
                    prop_assert!(trie.remove(&name));
                    model.remove(&name);
                }
                Step::RemoveUnknown(name) => {
                    prop_assert_eq!(trie.remove(&name), model.remove(&name).is_some());
                }
            }
            prop_assert_eq!(trie.len(), model.len());
            prop_assert_eq!(trie.root(), naive_root(&model));
        }
        for (name, digest) in &model {
            prop_assert_eq!(trie.get(name), Some(*digest));
        }
        for name in model.keys() {
            trie.remove(name);
        }
        prop_assert_eq!(trie.root(), EMPTY_ROOT);
    }

    #[test]
    fn the_order_of_updates_does_not_matter(
        (first, second) in prop::collection::btree_map(names(), any::<[u8; 32]>(), 0..40)
            .prop_map(|map| map.into_iter().collect::<Vec<_>>())
            .prop_flat_map(|records| (Just(records.clone()), Just(records).prop_shuffle())),
        detour in prop::collection::vec(names(), 0..10),
    ) {
        let (mut one, mut other) = (Trie::default(), Trie::default());
        for (name, digest) in &first {
            one.insert(*name, *digest);
        }
        // Another order, with records on the way that do not stay, and roots asked for in between.
        for name in &detour {
            other.insert(*name, [0xdd; 32]);
        }
        let _ = other.root();
        for (name, digest) in &second {
            other.insert(*name, *digest);
        }
        let _ = other.root();
        for name in &detour {
            if !first.iter().any(|(kept, _)| kept == name) {
                other.remove(name);
            }
        }
        prop_assert_eq!(one.root(), other.root());
    }
}

#[test]
fn two_names_that_differ_in_the_last_bit_alone_are_told_apart() {
    let (low, mut high) = ([0x55; 32], [0x55; 32]);
    high[31] ^= 1;
    let mut trie = Trie::default();
    trie.insert(low, [1; 32]);
    trie.insert(high, [2; 32]);
    let both = trie.root();
    let mut swapped = Trie::default();
    swapped.insert(low, [2; 32]);
    swapped.insert(high, [1; 32]);
    assert_ne!(both, swapped.root());
    assert_eq!((trie.get(&low), trie.get(&high)), (Some([1; 32]), Some([2; 32])));
    assert_eq!(both, naive_root(&BTreeMap::from([(low, [1; 32]), (high, [2; 32])])));
}
