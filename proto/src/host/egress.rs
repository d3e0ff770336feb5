//! The egress protocol: the enclave names a host and a port, the parent resolves it, connects and then moves bytes.
//!
//! TLS ends inside the enclave, so the parent learns the name and the sizes, and a wrong address costs a failed
//! handshake. The parent refuses addresses that are not public: that guards the parent's own network from
//! tenants' functions, and is no promise of the enclave's.
