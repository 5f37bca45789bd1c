// cfc_team: team[r][m], what TOGETHER neighbours, from the row `first` on, read in common: with all maps, then with the
// time maps alone. AT(row, section) is where a section begins, WEIGHT has the weights, FROM(k, m) is what place k brings.
//: uses AT FROM MAPS TEAM WEIGHT first phase phase_start, makes head k more team together
const int head = HEAD(first, phase_start[phase]);
real together[TOGETHER][MAPS], more[TOGETHER][MAPS];
for (int r = 0; r < TOGETHER; r++) {
    for (int m = 0; m < MAPS; m++) together[r][m] = splat(0.0f);
    for (int m = 2; m < MAPS; m++) more[r][m] = splat(0.0f);
}
for (int k = AT(head, 0) + first - head + TEAM * PART; k < AT(head, 1); k += TEAM * PARTS) {
    for (int r = 0; r < TOGETHER; r++) {
        for (int m = 0; m < MAPS; m++) together[r][m] += WEIGHT[MAPS * (k + r) + m] * FROM(k, m);
    }
}
int k = AT(head, 1) + first - head + 2 * TEAM * PART;
for (; k + TEAM < AT(head, 2); k += 2 * TEAM * PARTS) {  // two sums per map, to add up side by side
    for (int r = 0; r < TOGETHER; r++) {
        for (int m = 2; m < MAPS; m++) {
            together[r][m] += WEIGHT[MAPS * (k + r) + m] * FROM(k, m);
            more[r][m] += WEIGHT[MAPS * (k + TEAM + r) + m] * FROM(k + TEAM, m);
        }
    }
}
if (k < AT(head, 2)) {
    for (int r = 0; r < TOGETHER; r++) {
        for (int m = 2; m < MAPS; m++) together[r][m] += WEIGHT[MAPS * (k + r) + m] * FROM(k, m);
    }
}
real team[TOGETHER][MAPS];  // a copy, so that the sums above can stay in registers
for (int r = 0; r < TOGETHER; r++) {
    for (int m = 0; m < MAPS; m++) team[r][m] = m < 2 ? together[r][m] : together[r][m] + more[r][m];
}
