// memory_enter: an LSTM's cells where a stretch begins that is computed again.
//: uses KEEP SAVING entering kept_memory start, writes memory_path
if (!SAVING && entering) FETCH(memory_path, kept_memory, start / KEEP);
