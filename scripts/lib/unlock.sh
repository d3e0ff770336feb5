# How scripts/run-local unlocks its appliance, one set of functions for each provider. To be sourced by bash after
# shown.sh and processes.sh; the functions run in the state folder.
#
#   unlock_PROVIDER_prepare   makes what it needs, and writes unlock.toml: the tables [unlock] of the configuration
#   unlock_PROVIDER_parent    options of the parent, one a line (may print nothing)
#   unlock_PROVIDER_first     after the first start: until it serves
#   unlock_PROVIDER_again     after each later start: until it serves
#
# A dash in a provider's name is an underscore in its functions'.

# unlock PHASE: runs the provider's function.
unlock() {
    "unlock_${unlock_provider//-/_}_$1"
}

# The root secret in a file of enclave-under-test: for local runs, and no image has it.
unlock_test_prepare() {
    printf '[unlock]\nprovider = "test"\n' >unlock.toml
}
unlock_test_parent() { :; }
unlock_test_first() { :; }
unlock_test_again() { :; }

# Two of three members. Each has a home of its own, as on a machine of its own.
unlock_quorum_prepare() {
    local member
    step "a quorum: each member makes its keys, and gives away the public halves"
    printf '[unlock]\nprovider = "quorum"\n\n[unlock.quorum]\nthreshold = 2\n\n' >unlock.toml
    for member in alice bob carol; do
        mkdir -p "members/$member/r3e"
        show r3e operator keygen --member "$member" --out "members/$member/r3e/member.pem" >"members/$member/keygen.out"
        sed -n '/^\$/p' "members/$member/keygen.out"
        sed -n '/^\[\[unlock/,$p' "members/$member/keygen.out" >>unlock.toml
        printf '\n' >>unlock.toml
    done
}
unlock_quorum_parent() { :; }

# quorum_member NAME ARGUMENTS...: `r3e operator` as this member, with the settings of everybody.
quorum_member() {
    local member="$1"
    shift
    cp config/r3e/config.toml "members/$member/r3e/config.toml"
    printf '\n(%s)' "$member"
    XDG_CONFIG_HOME="$state/members/$member" XDG_STATE_HOME="$state/members/$member/state" show r3e operator "$@"
}

unlock_quorum_first() {
    await 60 "the locked appliance answers" r3e operator status
    shown_by=(without_warning)
    step "it is locked: it has proved what it is, and has no root secret; a member has one made and split"
    refuses quorum_member bob approve --yes
    quorum_member alice init --yes
}

unlock_quorum_again() {
    await 60 "the locked appliance answers" r3e operator status
    step "started again on the same data, it is locked: each member verifies it, and the setup, and sends its share"
    quorum_member bob approve --yes
    refuses quorum_member bob approve --yes
    quorum_member carol approve --yes
}

# A key of AWS KMS, emulated with the metadata service of the parent's machine.
unlock_aws_kms_prepare() {
    local host=kms.eu-central-1.amazonaws.com
    step "what the enclave measures, as a build would publish it: the key's policy will name it"
    # Without a parent it goes no further than that.
    start measured enclave-under-test --socket "$state/enclave.sock" --state "$state/enclave"
    await 10 "the reference values" grep -q '"2"' enclave/reference-values.json
    stop measured
    step "AWS KMS, and the metadata service of the parent's machine, emulated: a key that this enclave alone may use"
    mkdir -p kms
    start kms local-kms --host "$host" --nitro-root enclave/test-root.pem \
        --reference-values enclave/reference-values.json --appliance local --folder kms
    await 10 "KMS listens" test -s kms/address
    printf '    %s is %s, the metadata service %s\n' "$host" "$(cat kms/address)" "$(cat kms/imds-endpoint)"
    cat >unlock.toml <<END
[unlock]
provider = "aws-kms"

[unlock.aws_kms]
key_arn = "$(cat kms/key-arn)"
appliance = "local"
roots = """
$(cat kms/ca.pem)
"""
END
}
unlock_aws_kms_parent() {
    printf '%s\n' --imds-endpoint "$(cat kms/imds-endpoint)"
    printf '%s\n' --egress-resolve "kms.eu-central-1.amazonaws.com:443:$(cat kms/address)"
}
unlock_aws_kms_first() { :; }
unlock_aws_kms_again() { :; }
