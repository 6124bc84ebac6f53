declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  interface Names {
    keys(): Iterable<string>;
  }

  export interface System {
    preauthorizeApiKey(scheme: string, key: string): void;
    specSelectors: { specJson(): { getIn(path: readonly string[]): Names | undefined } };
  }

  interface Bundle {
    (options: Readonly<Record<string, unknown>>): System;
    presets: { apis: unknown };
  }

  const SwaggerUIBundle: Bundle;
  export default SwaggerUIBundle;
}
