// cfc_row: sum[m], what row j reads: with its team, and alone.
//: uses AT FROM MAPS WEIGHT first j team, makes others sum
real sum[MAPS], others[MAPS];
for (int m = 0; m < MAPS; m++) {
    sum[m] = team[j - first][m];
    others[m] = splat(0.0f);
}
{
    const int begin = AT(j, 2), end = AT(j, 3), lowest = 0, beyond = MAPS;
    #include "cfc_places.c"
}
{
    const int begin = AT(j, 3), end = AT(j, 4), lowest = 2, beyond = MAPS;
    #include "cfc_places.c"
}
{
    const int begin = AT(j, 4), end = AT(j, 5), lowest = 0, beyond = MAPS < 2 ? MAPS : 2;
    #include "cfc_places.c"
}
for (int m = 0; m < MAPS; m++) sum[m] = JOINED(sum[m] + others[m]);
