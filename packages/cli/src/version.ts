/** The version of this program; a test holds it equal to the package's. */
export const VERSION: string = "0.2.0";
