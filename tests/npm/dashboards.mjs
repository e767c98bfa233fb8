// Checks dashboards against Grafana's published schema: each panel becomes a TypeScript constant of the type that
// @grafana/schema gives for its kind, so that a wrong or unknown key is a compile error. Arguments: the folder of
// node_modules, a folder to work in, and the dashboards.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const [modules, folder, ...files] = process.argv.slice(2).map((name) => resolve(name));
const raw = join(modules, "@grafana/schema/dist/types/raw");
// The schema's folder of each panel kind, and whether it has settings for fields.
const KINDS = {
  stat: ["stat", false],
  timeseries: ["timeseries", true],
  "state-timeline": ["statetimeline", true],
  table: ["table", true],
  bargauge: ["bargauge", false],
  geomap: ["geomap", false],
};

let code = `import type * as raw from ${JSON.stringify(join(raw, "dashboard/x/types.gen"))};
// Enums as the strings that JSON holds.
type Json<T> = T extends string ? T | \`\${T}\` : T extends number | boolean | null | undefined ? T
  : T extends (infer U)[] ? Json<U>[] : T extends object ? { [K in keyof T]: Json<T[K]> } : T;
type Fields<C> = Json<Omit<raw.FieldConfigSource, "defaults">> & {
  defaults: Json<Omit<raw.FieldConfig, "custom">> & { custom?: C };
};
type Panel<K extends string, O, C> = Json<Omit<raw.Panel, "type" | "options" | "fieldConfig">> & {
  type: K; options: Json<O>; fieldConfig: Fields<Json<C>>;
};
// What the Prometheus data source adds; it is not in the schema.
type Annotation = Json<raw.AnnotationQuery> & {
  expr: string; titleFormat: string; textFormat: string; tagKeys: string; step: string; useValueForTime: boolean;
};
type Board = Json<Omit<raw.Dashboard, "panels" | "annotations">> & { annotations: { list: Annotation[] }; panels: [] };
`;
for (const [kind, [name, fields]] of Object.entries(KINDS)) {
  const path = JSON.stringify(join(raw, `composable/${name}/panelcfg/x/types.gen`));
  const custom = fields ? `Partial<${name}.FieldConfig>` : "Record<string, never>";
  code += `import type * as ${name} from ${path};\ntype Kind_${name} = Panel<"${kind}", ${name}.Options, ${custom}>;\n`;
}
let panels = 0;
files.forEach((file, board) => {
  const { panels: all, ...rest } = JSON.parse(readFileSync(file, "utf8"));
  code += `// ${file}\nexport const board_${board}: Board = ${JSON.stringify({ ...rest, panels: [] })};\n`;
  for (const panel of all) {
    const kind = KINDS[panel.type];
    if (!kind) throw new Error(`${file}: no schema is known for panels of type ${panel.type}`);
    code += `// ${file}: ${panel.title}\nexport const panel_${board}_${panel.id}: Kind_${kind[0]} = ${JSON.stringify(panel)};\n`;
    panels += 1;
  }
});
const source = join(folder, "dashboards.ts");
writeFileSync(source, code);
const compiler = join(modules, "typescript/bin/tsc");
const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022", "--pretty", "false"];
try {
  execFileSync(process.execPath, [compiler, ...options, source], { encoding: "utf8" });
} catch (error) {
  const lines = code.split("\n");
  for (const line of `${error.stdout}${error.stderr}`.split("\n").filter(Boolean)) {
    const at = /\((\d+),/.exec(line);
    const where = at ? lines[Number(at[1]) - 2].replace("// ", "") : "";
    console.error(`${where} ${line.replace(/^.*?\): /, "")}`);
  }
  process.exit(1);
}
console.log(`${files.length} dashboards, ${panels} panels`);
