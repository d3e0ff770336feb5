// attack: Loops by the condition of a do-while with a switch in it.
// limit: cpu
// ends: cpu_limit
export default () => { let i = 0; do { switch (i++ & 3) { case 0: continue; case 1: break; default: } } while (i); };
