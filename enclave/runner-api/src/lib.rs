//! r3e-runner-api
