import "../shared/theme.css";
import "./reference.css";
import SwaggerUI, { type System } from "swagger-ui-dist/swagger-ui-es-bundle.js";
import { storedKey } from "../shared/session";

/** Swagger UI takes its dark colours from a class, the rest of the page from the browser. */
function followColorScheme(): void {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = (): void => {
    document.documentElement.classList.toggle("dark-mode", dark.matches);
  };
  dark.addEventListener("change", apply);
  apply();
}

/** The dashboard's key serves "Try it out" too. */
function authorize(ui: System): void {
  const key = storedKey();
  if (key === null) return;
  const schemes = ui.specSelectors.specJson().getIn(["components", "securitySchemes"]);
  for (const name of schemes?.keys() ?? []) ui.preauthorizeApiKey(name, key);
}

/** The endpoints arrive after the browser has scrolled to the fragment, and would push it away. */
function holdFragment(): void {
  const target = /^#[\w-]+$/.test(location.hash) && document.querySelector(location.hash);
  if (!target) return;
  const observer = new ResizeObserver(() => target.scrollIntoView());
  observer.observe(document.body);
  for (const event of ["wheel", "touchstart", "pointerdown", "keydown"]) {
    window.addEventListener(event, () => observer.disconnect(), { once: true, passive: true });
  }
}

followColorScheme();
holdFragment();

const ui: System = SwaggerUI({
  url: "/api/v1/openapi.json",
  dom_id: "#endpoints",
  presets: [SwaggerUI.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  requestSnippetsEnabled: true,
  // Else Swagger UI shows a badge from a host of its own.
  validatorUrl: null,
  onComplete: () => authorize(ui),
});
