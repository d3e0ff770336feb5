//! Which notes a head counts: what a boot reads beside the head. Whoever looks at what a parent keeps tells by it what is
//! part of the state from what only waits to be swept.

use r3e_proto::host::blob::BlobName;

use crate::{head::Head, name::Kind, seal::StoreKeys};

/// The names of the pages and of the commits' notes under the sealed head `head`, which a boot reads all of; none where the
/// head is not of these keys.
pub fn notes_in_force(keys: &StoreKeys, head: &[u8]) -> Option<Vec<BlobName>> {
    let head = Head::open(keys, head)?;
    let pages = (head.pages.first..head.pages.end).map(|number| keys.numbered(Kind::Page, number));
    let tail = (head.tail.from..=head.number()).map(|number| keys.numbered(Kind::Tail, number));
    Some(pages.chain(tail).collect())
}
