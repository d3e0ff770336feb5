//! The image in QEMU's machine. One program, so that the workspace's tests can leave it out by its name.

mod documents;
mod hostile_functions;
mod hostile_host;
mod layers;
mod main_job;
