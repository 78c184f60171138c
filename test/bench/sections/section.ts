/** What every section of the overview gets, and what it returns. */
import type { Row } from "../measure/table.ts";

/** The options of the measurement. */
export interface Bench {
  /** Where homes may be made; removed afterwards. */
  readonly folder: string;
  /** Runs of each command that count. */
  readonly rounds: number;
  /** Leaves out what takes long: the larger homes, and many gateways. */
  readonly quick: boolean;
  /** This Node, and the newest when there is another. */
  readonly nodes: readonly string[];
}

/** One part of the overview. */
export interface Section {
  readonly title: string;
  /** A note that a reader of the rows needs; "" for none. */
  readonly note: string;
  readonly rows: readonly Row[];
}

/** Measures one part. */
export type Measure = (bench: Bench) => Promise<readonly Section[]>;
