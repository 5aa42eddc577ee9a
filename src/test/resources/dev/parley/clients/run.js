// Runs one driver on Node: node run.js DRIVER URL. Prints each event as a line of JSON.
import { plain } from './plain.js';

const [driver, url] = process.argv.slice(2);
const { start } = await import(`./drivers/${driver}.js`);
start(url, event => console.log(JSON.stringify(plain(event))));
// The test that started this process closes our standard input when it ends, even when it is killed.
process.stdin.on('end', () => process.exit()).resume();
