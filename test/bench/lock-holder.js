/**
 * Acquires with the adapter in its first argument, in the directory of the second; prints `ready` and holds until it is
 * killed.
 */
const [adapter, directory] = process.argv.slice(2);
const { acquire } = await import(adapter);
await acquire({ directory, timeoutMs: 60_000 });
process.stdout.write("ready\n");
setInterval(() => {}, 1_000_000);
