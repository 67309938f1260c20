// `next start` in two processes on one port, as pm2's cluster mode does it.
const cluster = require("node:cluster");

cluster.setupPrimary({
  exec: require.resolve("next/dist/bin/next"),
  args: ["start", "--hostname", "127.0.0.1", "--port", process.env.PORT],
});
for (let worker = 0; worker < 2; worker += 1) cluster.fork();
process.on("SIGTERM", () => cluster.disconnect(() => process.exit()));
