# What this QEMU can be: a Nitro enclave, with its security module and a vsock device that another process serves.
CONFIG_MICROVM=y
CONFIG_NITRO_ENCLAVE=y
CONFIG_EIF=y
CONFIG_VIRTIO_MMIO=y
CONFIG_VIRTIO_NSM=y
CONFIG_VHOST_USER_VSOCK=y
