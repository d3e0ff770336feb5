//! Nothing of its own: see the tests of this package.
#![forbid(unsafe_code)]
