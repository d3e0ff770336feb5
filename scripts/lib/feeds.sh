# What `scripts/run-local --feeds` shows: a price feed whose answers land on Ethereum and on Neo N3. To be sourced by bash after shown.sh and processes.sh; the
# functions run in the state folder.
#
#   feeds_prepare   starts anvil, NeoGo and seven exchanges, in the folder chains
#   feeds_parent    options of the parent, one a line
#   feeds_show      the feed, its contracts, and what consumers read

# In units of the feed: cents.
FEEDS_FIRST_PRICE=64000.00
FEEDS_SECOND_PRICE=64500.00

FEEDS_PACKAGES='
npm|npm|fetching anvil
pip|python3-pip|fetching NeoGo
'

feeds_prepare() {
    r3e_needs_packages "$FEEDS_PACKAGES"
    R3E_TEST_CHAINS="$("$R3E_ROOT/tests/chain/setup")"
    export R3E_TEST_CHAINS
    step "an Ethereum node, a Neo N3 node, each behind three HTTPS fronts, and seven exchanges that say what stands in a file"
    mkdir -p chains
    printf '%s\n' "$FEEDS_FIRST_PRICE" >chains/price
    start chains local-chains serve --folder chains
    await 60 "the chains are up" test -s chains/places.json
    tail -n 1 chains.log | sed 's/^/    /'
}

feeds_parent() {
    local rule
    while read -r rule || [ -n "$rule" ]; do
        printf -- '--egress-resolve\n%s\n' "$rule"
    done <chains/resolve
}

# feeds_definition TARGETS: the feed's file, with what stands behind its policy.
feeds_definition() {
    cat >btc-usd.toml <<END
pair = "BTC/USD"
sources = ["binance", "bitstamp", "coinbase", "gemini", "kraken", "kucoin", "okx"]
interval_ms = 1000
timeout_ms = 1000
$1

[policy]
decimals = 2
deviation_bps = 25
heartbeat_ms = 20000
validity_ms = 120000
frozen_rounds = 1000
$2
END
}

# feeds_wallet NAME TYPE RULES: a wallet that may do what the rules say, and has coins for it.
feeds_wallet() {
    local address
    printf '{ %s, "window": { "seconds": 3600, "max_signatures": 500 } }\n' "$3" >"$1.json"
    show r3e wallets create "$1" --type "$2" --policy "$1.json"
    address="$(r3e wallets show "$1" --json 2>>r3e.log | sed -n 's/.*"address": *"\([^"]*\)".*/\1/p' | head -n 1)"
    [ -n "$address" ] || r3e_die "r3e wallets show does not say the address of $1"
    show local-chains fund --folder chains "$address"
}

feeds_show() {
    local told evm neo evm_contract neo_contract methods at
    step "a feed of seven exchanges: TLS to each ends inside; what it says is signed by keys that a document attests"
    feeds_definition '' ''
    show r3e feeds create btc-usd btc-usd.toml
    show r3e feeds key --save oracle-key.document
    r3e feeds key --json >key.json 2>>r3e.log
    r3e feeds show btc-usd --json >feed.json 2>>r3e.log

    step "its contracts on both chains, which take what these keys sign for this definition, and a consumer of each"
    local-chains deploy --folder chains --feed feed.json --key key.json | tee targets
    mapfile -t told <targets
    [ "${#told[@]}" -eq 5 ] || r3e_die "local-chains deploy does not say what it deployed"
    evm="${told[0]}" neo="${told[1]}"
    evm_contract="${evm##*:}" neo_contract="${neo##*:}"

    step "wallets that may bring reports there, and nothing else: one pays in ether, one in GAS"
    methods='{"only": ["'"${told[2]}"'"]}'
    feeds_wallet feeder secp256k1 '"chains": [{ "chain_id": 31337, "recipients": {"only": [{"address": "'"$evm_contract"'", "methods": '"$methods"'}]},
  "max_value": "0", "max_fee": "5000000000000000", "max_spend": "500000000000000000" }]'
    feeds_wallet neo-feeder secp256r1 '"neo": [{ "magic": 42, "contracts": {"only": [{"hash": "'"$neo_contract"'", "methods": {"only": ["transmit"]}}]},
  "max_fee": "30000000", "max_spend": "10000000000" }]'

    step "from here on its reports are brought to both"
    feeds_definition "targets = [\"$evm\", \"$neo\"]" "
[[publish]]
target = \"$evm\"
wallet = \"feeder\"
fee_limit = \"5000000000000000\"

[[publish]]
target = \"$neo\"
wallet = \"neo-feeder\"
fee_limit = \"30000000\""
    show r3e feeds create btc-usd btc-usd.toml
    show local-chains await --folder chains "${FEEDS_FIRST_PRICE/./}"

    step "the price moves by more than a quarter of a percent: that is brought at once"
    printf '%s\n' "$FEEDS_SECOND_PRICE" >chains/price.next
    mv chains/price.next chains/price
    show local-chains await --folder chains "${FEEDS_SECOND_PRICE/./}"

    step "the price rests: the heartbeat of 20 s brings it anew"
    show local-chains await --folder chains "${FEEDS_SECOND_PRICE/./}" --after "$(cat chains/rounds)"
    show r3e feeds publications btc-usd

    step "the signer that the contracts believe is traced back to the image and the configuration, offline"
    without_warning r3e feeds report btc-usd --save btc-usd.report >/dev/null
    show r3e-verify report btc-usd.report "${trust[@]}" --feed btc-usd | tee report.out
    for at in 0 1; do
        grep -F -A 1 "signed for      ${told[at]}" report.out | tail -n 1 | grep -qi "${told[at + 3]}" ||
            r3e_die "the report is not by ${told[at + 3]}, whom ${told[at]} believes"
    done
}
