// All neurons, or those selected, in a table: sorted by any column, rows drawn only where they are seen. A
// cell that is changed in a selected row is changed in every selected row.

import { useState } from "preact/hooks";
import type { Editor } from "../editor";
import { type Neuron, ROLES, keyOf } from "../model/circuit";
import { goTo } from "../input/commands";
import { Entry, number } from "./controls";
import { useEditor } from "./hooks";
import { RoleShape } from "./icons";

const ROW = 30;
const AROUND = 6; // rows drawn outside the window

interface Column {
  title: string;
  value: (n: Neuron) => string | number;
  attribute?: string;
}

export function Table() {
  const editor = useEditor();
  const [sort, setSort] = useState<[column: number, down: boolean] | null>(null);
  const [top, setTop] = useState(0);
  const [filter, setFilter] = useState("");
  const effects = new Map(editor.live.ranking.map(([name, effect]) => [keyOf(name), effect]));
  const columns: Column[] = [
    { title: "Name", value: (n) => n.label },
    { title: "Role", value: (n) => ROLES.indexOf(n.role as never) },
    { title: "Group", value: (n) => String(n.attributes.group ?? ""), attribute: "group" },
    { title: "In", value: (n) => n.in.size },
    { title: "Out", value: (n) => n.out.size },
    ...(effects.size ? [{ title: "Effect", value: (n: Neuron) => effects.get(n.key) ?? 0 }] : []),
    { title: "Note", value: (n) => String(n.attributes.note ?? ""), attribute: "note" },
  ];
  let rows = [...editor.circuit.neurons.values()];
  if (filter) rows = rows.filter((n) => `${n.label} ${n.role} ${String(n.attributes.group ?? "")}`.toLowerCase().includes(filter.toLowerCase()));
  if (sort) {
    const { value } = columns[sort[0]] ?? columns[0]!;
    const sign = sort[1] ? -1 : 1;
    rows.sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      return sign * (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), "en", { numeric: true }));
    });
  }
  const first = Math.max(0, Math.floor(top / ROW) - AROUND);
  const shown = rows.slice(first, first + 40 + 2 * AROUND);
  return (
    <section class="gl-fill">
      <input class="gl-input" type="search" aria-label="Find in the table" placeholder="find" value={filter} onInput={(e) => setFilter(e.currentTarget.value)} />
      <div class="gl-scroll" tabIndex={0} role="region" aria-label="Table of neurons" onScroll={(e) => setTop(e.currentTarget.scrollTop)}>
        <table class="gl-table" aria-rowcount={rows.length + 1}>
          <thead>
            <tr>
              {columns.map(({ title }, k) => (
                <th key={title} aria-sort={sort?.[0] === k ? (sort[1] ? "descending" : "ascending") : "none"}>
                  <button type="button" onClick={() => setSort(sort?.[0] === k ? (sort[1] ? null : [k, true]) : [k, false])}>{title}{sort?.[0] === k ? (sort[1] ? " ↓" : " ↑") : ""}</button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <tr style={{ height: `${first * ROW}px` }} aria-hidden="true" />
            {shown.map((n, k) => <Row key={n.key} editor={editor} neuron={n} columns={columns} index={first + k + 2} />)}
            <tr style={{ height: `${Math.max(0, rows.length - first - shown.length) * ROW}px` }} aria-hidden="true" />
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Row({ editor, neuron, columns, index }: { editor: Editor; neuron: Neuron; columns: Column[]; index: number }) {
  const selected = editor.selection.has(neuron);
  const all = selected ? editor.neurons : [neuron];
  return (
    <tr class={selected ? "gl-selected" : ""} aria-rowindex={index} onClick={(e) => {
      if (e.ctrlKey || e.metaKey || e.shiftKey) editor.toggle(neuron);
      else if (!selected) goTo(editor, neuron);
    }}>
      {columns.map(({ title, value, attribute }) => (
        <td key={title}>
          {title === "Role" ? (
            <span class="gl-row"><RoleShape role={neuron.role} />
              <select class="gl-input gl-bare" aria-label={`Role of ${neuron.label}`} value={neuron.role} onChange={(e) => editor.setNeurons(all, "role", e.currentTarget.value)}>
                {ROLES.map((r) => <option key={r}>{r}</option>)}
              </select>
            </span>
          ) : title === "Name" ? <Entry label={`Name of ${neuron.label}`} value={neuron.label} onCommit={(name) => editor.edit({ kind: "rename", names: [[neuron.name, name]] })} />
          : attribute ? <Entry label={`${title} of ${neuron.label}`} value={String(value(neuron))} onCommit={(text) => editor.setNeurons(all, attribute, text || undefined)} />
          : <span class="gl-number">{number(value(neuron) as number)}</span>}
        </td>
      ))}
    </tr>
  );
}
