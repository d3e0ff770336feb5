// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// Verifies Groth16 proofs of one circuit, over BN254, by the precompiled contracts of EIP-196 and EIP-197. Made from the circuit's verification key by
/// `r3e zk export-verifier`; its interface is that of the verifiers that snarkjs makes.
///
/// A proof can be changed into another of the same statement by whoever sees it. To take nothing twice, remember the signals, or a nullifier among them,
/// and never the proof.
contract MultiplierVerifier {
    /// The order of the groups: signals are below it.
    uint256 private constant ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// The modulus of coordinates.
    uint256 private constant MODULUS = 21888242871839275222246405745257275088696311157297823662689037894645226208583;

    // The key: points of the first group by x and y; of the second by the imaginary and the real parts of x, and those of y.
    uint256 private constant ALPHA_X = 20281124022082373389780193630874154868224033486608979724406021338570499013166;
    uint256 private constant ALPHA_Y = 2172606524238948500382605558650582287667453558013637044925475927335339863698;
    uint256 private constant IC0_X = 3787809221980517578818639493730515808129277865730624572389456396921336170303;
    uint256 private constant IC0_Y = 20213966109281962901510452870655522080581221843174597067145379081013117757158;
    uint256 private constant IC1_X = 19164665756654995739264993027149436825988979169992377115125246682459006073531;
    uint256 private constant IC1_Y = 17013052640532955096713864159451815459573230571460611277620473030336744112548;
    uint256 private constant IC2_X = 18481754597341243933622958461771810652740054789991586573358970982796330997858;
    uint256 private constant IC2_Y = 21316561653808720740977204043771338566563589364118668086351197311970800345930;
    uint256 private constant BETA_X1 = 2114566850804757960552356691481401438624315553010312526540852599980053858433;
    uint256 private constant BETA_X0 = 12594943818029930240694605306618834367144186921847737791838677700842525904847;
    uint256 private constant BETA_Y1 = 12606771537943103001700683086255870885445673909897057752041892493317525806097;
    uint256 private constant BETA_Y0 = 7628039154294007428972675386860275531427559313101190181896423817279582197403;
    uint256 private constant GAMMA_X1 = 11559732032986387107991004021392285783925812861821192530917403151452391805634;
    uint256 private constant GAMMA_X0 = 10857046999023057135944570762232829481370756359578518086990519993285655852781;
    uint256 private constant GAMMA_Y1 = 4082367875863433681332203403145435568316851327593401208105741076214120093531;
    uint256 private constant GAMMA_Y0 = 8495653923123431417604973247489272438418190587263600148770280649306958101930;
    uint256 private constant DELTA_X1 = 10660507234021120996146920842038692086903604161695981549510255946983789627814;
    uint256 private constant DELTA_X0 = 11189816051709528780011257546218628550647623841895099805701746590224938554514;
    uint256 private constant DELTA_Y1 = 16005076478579767670310083253108387606723423259015431488585738148168056004048;
    uint256 private constant DELTA_Y0 = 14084511431374192665795548992081130080144384501569432992884412943423474870535;

    /// A precompiled contract refused what it was given, or there was too little gas for it: nothing is said of the proof.
    error Undecided();

    /// Whether the proof holds for these public signals: false of a statement that it does not prove, of a number at or above its modulus, and of a neutral
    /// point. Reverts where a point is off its curve or outside of its group, which takes all the gas that is there, and where there is too little: so that nobody has a proof
    /// called false by giving too little gas. Coordinates in the second group are pairs, the imaginary part first.
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[2] calldata signals
    ) external view returns (bool) {
        if (a[0] >= MODULUS || a[1] >= MODULUS || c[0] >= MODULUS || c[1] >= MODULUS) return false;
        if (b[0][0] >= MODULUS || b[0][1] >= MODULUS || b[1][0] >= MODULUS || b[1][1] >= MODULUS) return false;
        if ((a[0] | a[1]) == 0 || (c[0] | c[1]) == 0 || (b[0][0] | b[0][1] | b[1][0] | b[1][1]) == 0) return false;
        uint256[2] memory sum = [IC0_X, IC0_Y];
        if (!add(sum, IC1_X, IC1_Y, signals[0])) return false;
        if (!add(sum, IC2_X, IC2_Y, signals[1])) return false;
        // The product of four pairings is one: of -a and b, of alpha and beta, of the signals' sum and gamma, of c and delta.
        uint256[24] memory input = [
            a[0], a[1] == 0 ? 0 : MODULUS - a[1], b[0][0], b[0][1], b[1][0], b[1][1],
            ALPHA_X, ALPHA_Y, BETA_X1, BETA_X0, BETA_Y1, BETA_Y0,
            sum[0], sum[1], GAMMA_X1, GAMMA_X0, GAMMA_Y1, GAMMA_Y0,
            c[0], c[1], DELTA_X1, DELTA_X0, DELTA_Y1, DELTA_Y0
        ];
        bool succeeded;
        uint256[1] memory output;
        assembly ("memory-safe") {
            succeeded := staticcall(gas(), 8, input, 768, output, 32)
        }
        if (!succeeded) revert Undecided();
        return output[0] == 1;
    }

    /// Adds a point, as often as the signal says, to a sum. False where the signal is no number below the order.
    function add(uint256[2] memory sum, uint256 x, uint256 y, uint256 signal) private view returns (bool) {
        if (signal >= ORDER) return false;
        uint256[4] memory terms = [x, y, signal, 0];
        bool succeeded;
        assembly ("memory-safe") {
            succeeded := staticcall(gas(), 7, terms, 96, terms, 64)
        }
        if (!succeeded) revert Undecided();
        (terms[2], terms[3]) = (sum[0], sum[1]);
        assembly ("memory-safe") {
            succeeded := staticcall(gas(), 6, terms, 128, sum, 64)
        }
        if (!succeeded) revert Undecided();
        return true;
    }
}
