pragma circom 2.0.0;
template Multiplier() {
    signal input a;
    signal input b;
    signal output c;
    signal output d;
    c <== a * b;
    d <== c * a + 7;
}
component main = Multiplier();
