/** The first paint needs the page, its style sheet and this; all other modules follow. */

const signedIn = sessionStorage.getItem("token") !== null;
document.getElementById(signedIn ? "shell" : "sign-in").hidden = false;

try {
  const { start } = await import("./session.js");
  await start();
} catch (error) {
  console.error(error);
  const main = document.querySelector("main:not([hidden] main, main[hidden])");
  main.append("The console could not be loaded. Load the page again.");
}
