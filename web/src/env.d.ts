/** The addresses of Monaco's workers, put in by the build. */
declare const WORKERS: Readonly<Record<"worker-editor" | "worker-json" | "worker-graphql", string>>;

declare module "*.graphql" {
  const source: string;
  export default source;
}

declare module "*.css";
