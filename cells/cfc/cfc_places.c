// cfc_places: what the places from `begin` on and before `end` bring to the maps from `lowest` on and before `beyond`,
// added to `sum` and `others`: two sums per map, to add up side by side.
//: uses FROM MAPS WEIGHT begin beyond end lowest, writes others sum, makes k
int k = begin + 2 * PART;
for (; k + 1 < end; k += 2 * PARTS) {
    for (int m = lowest; m < beyond; m++) {
        sum[m] += WEIGHT[MAPS * k + m] * FROM(k, m);
        others[m] += WEIGHT[MAPS * (k + 1) + m] * FROM(k + 1, m);
    }
}
if (k < end) {
    for (int m = lowest; m < beyond; m++) sum[m] += WEIGHT[MAPS * k + m] * FROM(k, m);
}
