/** The first paint needs the page, its style sheet and this; all other modules follow. */

const signedIn = sessionStorage.getItem("token") !== null;
const form = document.querySelector("#sign-in form");
document.getElementById(signedIn ? "shell" : "sign-in").hidden = false;

const session = import("./session.js");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  (await session).signIn();
});

try {
  await (await session).start();
} catch (error) {
  console.error(error);
  const place = document.getElementById(signedIn ? "main" : "token-problem");
  place.textContent =
    "The console could not be loaded. Check the network, then load the page again.";
}
