/** `pnpm torture [options]` tortures the lock, `pnpm torture lease [options]` the lease. */
import { argv } from "node:process";

if (argv[2] === "lease") await import("./lease/main.ts");
else await import("./lock-main.ts");
